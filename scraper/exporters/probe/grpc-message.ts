/** The two messages of grpc.health.v1.Health/Check, and what frames them. */
import { ProbeFailure } from './resolve.ts'

const FRAME_HEADER_BYTES = 5
const INTERNAL = 13
const UNKNOWN = 2
/** Statuses of HTTP as statuses of gRPC, where the answer has none of its own. */
const CODES: ReadonlyMap<number, number> = new Map([
  [400, INTERNAL],
  [401, 16],
  [403, 7],
  [404, 12],
  [429, 14],
  [502, 14],
  [503, 14],
  [504, 14],
])

export const statusOfHttp = (status: number): number => CODES.get(status) ?? UNKNOWN

/** The frame of a question after a service; '' asks after the whole server. */
export function encodeHealthQuestion(service: string): Buffer {
  const name = Buffer.from(service)
  const message =
    name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name])
  const header = Buffer.alloc(FRAME_HEADER_BYTES)
  header.writeUInt32BE(message.length, 1)
  return Buffer.concat([header, message])
}

/** @returns number of the serving status; 0 = unknown. @throws {ProbeFailure} */
export function decodeHealth(frame: Buffer): number {
  const isWhole = frame.length >= FRAME_HEADER_BYTES && frame.length >= FRAME_HEADER_BYTES + frame.readUInt32BE(1)
  if (!isWhole) throw new ProbeFailure('the answer of the health check is not whole')
  if (frame[0] !== 0) throw new ProbeFailure('the answer of the health check is packed')
  const message = frame.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + frame.readUInt32BE(1))
  let status = 0
  for (let at = 0; at < message.length; ) {
    const key = readVarint(message, at)
    const value = readVarint(message, key.end)
    const kind = key.value & 7
    if (key.value >>> 3 === 1 && kind === 0) status = value.value
    if (kind === 0) at = value.end
    else if (kind === 2) at = value.end + value.value
    else if (kind === 5) at = key.end + 4
    else if (kind === 1) at = key.end + 8
    else throw new ProbeFailure('the answer of the health check is not as it should be')
  }
  return status
}

function varint(value: number): number[] {
  const bytes: number[] = []
  for (let left = value; ; left >>>= 7) {
    if (left < 128) return [...bytes, left]
    bytes.push((left & 127) | 128)
  }
}

/** Reads past the end as zeros; the value's lowest 32 bits. */
function readVarint(bytes: Buffer, start: number): { value: number; end: number } {
  let value = 0
  for (let at = start, shift = 0; ; at++, shift += 7) {
    const byte = bytes[at] ?? 0
    if (shift < 32) value |= (byte & 127) << shift
    if (byte < 128) return { value: value >>> 0, end: at + 1 }
  }
}
