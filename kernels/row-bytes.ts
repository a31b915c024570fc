// Byte helpers of the plain TypeScript twins of the row and column kernels. Clear rather than fast: 64 bits are BigInts.

export const Kind = { ABSENT: 0, DECIMAL: 1, RAW: 2, STALE: 3 } as const
export const STALE_NAN_BITS = 0x7ff0000000000002n
export const MANTISSA_MAX = 2n ** 53n

/** Reads and writes little-endian at byte offsets; varints move `at`. */
export class ByteCursor {
  readonly view: DataView
  at = 0

  constructor(memory: ArrayBufferLike) {
    this.view = new DataView(memory)
  }

  /** An unsigned LEB128 of at most 10 bytes. */
  readVarint(): bigint {
    let value = 0n
    let byte: number
    let shift = 0n
    do {
      byte = this.view.getUint8(this.at++)
      value |= BigInt(byte & 127) << shift
      shift += 7n
    } while ((byte & 128) !== 0 && shift < 70n)
    return BigInt.asUintN(64, value)
  }

  writeVarint(value: bigint): void {
    let rest = value
    while (rest >= 128n) {
      this.view.setUint8(this.at++, Number(rest & 127n) | 128)
      rest >>= 7n
    }
    this.view.setUint8(this.at++, Number(rest))
  }

  writeByte(value: number): void {
    this.view.setUint8(this.at++, value & 255)
  }

  writeBits64(value: bigint): void {
    this.view.setBigInt64(this.at, BigInt.asIntN(64, value), true)
    this.at += 8
  }

  i64(base: number, index: number): bigint {
    return this.view.getBigInt64(base + 8 * index, true)
  }

  setI64(base: number, index: number, value: bigint): void {
    this.view.setBigInt64(base + 8 * index, BigInt.asIntN(64, value), true)
  }

  u32(base: number, index: number): number {
    return this.view.getUint32(base + 4 * index, true)
  }

  setU32(base: number, index: number, value: number): void {
    this.view.setUint32(base + 4 * index, value, true)
  }

  fill(from: number, byte: number, count: number): void {
    new Uint8Array(this.view.buffer, from, count).fill(byte)
  }
}

export function varintBytes(value: bigint): number {
  let bytes = 1
  for (let rest = value >> 7n; rest > 0n; rest >>= 7n) bytes++
  return bytes
}

export const zigzag = (value: bigint): bigint => BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
export const unzigzag = (value: bigint): bigint => BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))

export function canRescale(mantissa: bigint, by: number): boolean {
  if (mantissa === 0n) return true
  if (by > 15) return false
  const limit = MANTISSA_MAX / 10n ** BigInt(by)
  return mantissa <= limit && mantissa >= -limit
}

export const rescale = (mantissa: bigint, by: number): bigint => (mantissa === 0n ? 0n : mantissa * 10n ** BigInt(by))

const float = new Float64Array(1)
const floatBits = new BigInt64Array(float.buffer)

/** The bits of the float64 `mantissa / 10^exponent`, one correctly rounded operation. */
export function decimalBits(mantissa: bigint, exponent: number): bigint {
  const power = Number(`1e${Math.min(Math.abs(exponent), 22)}`)
  float[0] = exponent > 0 ? Number(mantissa) / power : Number(mantissa) * power
  return floatBits[0]!
}
