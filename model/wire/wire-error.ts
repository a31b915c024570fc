import { AppError } from '../../lib/errors.ts'

/** Bytes that break their format: protobuf or snappy that ends early, states impossible sizes, or is too large. */
export class WireFormatError extends AppError {
  override readonly code = 'ERR_WIRE_FORMAT'
  override readonly httpStatus = 400
}
