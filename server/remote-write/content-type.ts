import { AppError } from '../../lib/index.ts'

/** The message of a request: 1 is `prometheus.WriteRequest`, 2 is `io.prometheus.write.v2.Request`. */
export type WriteVersion = 1 | 2

/** A body in a form that is not taken here. */
export class UnsupportedMessageError extends AppError {
  override readonly code = 'ERR_REMOTE_WRITE_MESSAGE'
  override readonly httpStatus = 415
}

const VERSIONS: ReadonlyMap<string, WriteVersion> = new Map([
  ['prometheus.WriteRequest', 1],
  ['io.prometheus.write.v2.Request', 2],
])

export const WRITE_MESSAGES: readonly string[] = [...VERSIONS.keys()]

/**
 * Which message a request holds.
 *
 * @param accepted full names of messages, as `--web.remote-write-receiver.accepted-protobuf-messages` lists them
 * @throws {UnsupportedMessageError}
 */
export function writeVersionOf(
  headers: { readonly contentType: string | undefined; readonly contentEncoding: string | undefined },
  accepted: readonly string[],
): WriteVersion {
  const message = messageOf(headers.contentType ?? '')
  const version = VERSIONS.get(message)
  if (version === undefined) {
    throw new UnsupportedMessageError(
      `unknown remote write protobuf message ${message}, supported: ${WRITE_MESSAGES.join(', ')}`,
    )
  }
  if (!accepted.includes(message)) {
    throw new UnsupportedMessageError(
      `${message} protobuf message is not accepted by this server; only accepts ${accepted.join(', ')}`,
    )
  }
  const encoding = headers.contentEncoding ?? ''
  if (encoding !== '' && encoding !== 'snappy') {
    throw new UnsupportedMessageError(
      `${encoding} encoding (compression) is not accepted by this server; only snappy is acceptable`,
    )
  }
  return version
}

function messageOf(contentType: string): string {
  if (contentType.trim() === '') return WRITE_MESSAGES[0]!
  const [type, ...parameters] = contentType.split(';').map((part) => part.trim())
  if (type!.toLowerCase() !== 'application/x-protobuf') {
    throw new UnsupportedMessageError(
      `expected application/x-protobuf as the first (media) part, got ${contentType} content-type`,
    )
  }
  for (const parameter of parameters) {
    const [key, value = ''] = parameter.split('=')
    if (key!.trim() === 'proto') return value.trim().replace(/^"(.*)"$/, '$1')
  }
  return WRITE_MESSAGES[0]!
}
