// Reads MessagePack as the column answers use it: no extension types. Binary values are views of the input, not copies.

export type Packed =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Packed[]
  | { readonly [name: string]: Packed }

/** @throws {RangeError} where the bytes end early or hold a type that is not read here */
export function readMessagePack(bytes: Uint8Array): Packed {
  return new Reader(bytes).value()
}

const TEXT = new TextDecoder()

class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  value(): Packed {
    const lead = this.#uint(1)
    if (lead < 0x80) return lead
    if (lead < 0x90) return this.#map(lead & 0x0f)
    if (lead < 0xa0) return this.#array(lead & 0x0f)
    if (lead < 0xc0) return this.#text(lead & 0x1f)
    if (lead >= 0xe0) return lead - 0x100
    switch (lead) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#take(this.#uint(1 << (lead - 0xc4)))
      case 0xca:
        return this.#view.getFloat32(this.#skip(4))
      case 0xcb:
        return this.#view.getFloat64(this.#skip(8))
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
        return this.#uint(1 << (lead - 0xcc))
      case 0xd0:
        return this.#view.getInt8(this.#skip(1))
      case 0xd1:
        return this.#view.getInt16(this.#skip(2))
      case 0xd2:
        return this.#view.getInt32(this.#skip(4))
      case 0xd3:
        return Number(this.#view.getBigInt64(this.#skip(8)))
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#uint(1 << (lead - 0xd9)))
      case 0xdc:
      case 0xdd:
        return this.#array(this.#uint(2 << (lead - 0xdc)))
      case 0xde:
      case 0xdf:
        return this.#map(this.#uint(2 << (lead - 0xde)))
      default:
        throw new RangeError(`MessagePack type 0x${lead.toString(16)} is not read here`)
    }
  }

  #skip(length: number): number {
    const at = this.#at
    this.#at += length
    return at
  }

  #uint(length: number): number {
    const at = this.#skip(length)
    if (length === 1) return this.#view.getUint8(at)
    if (length === 2) return this.#view.getUint16(at)
    if (length === 4) return this.#view.getUint32(at)
    return Number(this.#view.getBigUint64(at))
  }

  #take(length: number): Uint8Array {
    const at = this.#skip(length)
    if (this.#at > this.#bytes.length) throw new RangeError('MessagePack ends early')
    return this.#bytes.subarray(at, this.#at)
  }

  #text(length: number): string {
    return TEXT.decode(this.#take(length))
  }

  #array(length: number): Packed[] {
    const items: Packed[] = []
    for (let i = 0; i < length; i++) items.push(this.value())
    return items
  }

  /** Without a prototype: names come from anywhere. */
  #map(length: number): Record<string, Packed> {
    const map = Object.create(null) as Record<string, Packed>
    for (let i = 0; i < length; i++) map[String(this.value())] = this.value()
    return map
  }
}
