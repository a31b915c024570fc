import { PushImportError } from '../errors.ts'

/** What a gob value becomes: structs by field name, maps as maps, what encodes itself as its bytes. */
export type GobValue = boolean | number | string | Buffer | GobValue[] | Map<GobValue, GobValue> | GobStruct
export interface GobStruct {
  readonly [field: string]: GobValue | undefined
}

type GobType =
  | { readonly kind: 'basic'; readonly name: 'bool' | 'int' | 'uint' | 'float' | 'bytes' | 'string' }
  | { readonly kind: 'slice'; readonly elem: number }
  | { readonly kind: 'array'; readonly elem: number }
  | { readonly kind: 'map'; readonly key: number; readonly elem: number }
  | { readonly kind: 'struct'; readonly fields: readonly { readonly name: string; readonly type: number }[] }
  | { readonly kind: 'opaque' }

const BASIC: readonly (readonly [number, GobType])[] = (
  ['bool', 'int', 'uint', 'float', 'bytes', 'string'] as const
).map((name, i) => [i + 1, { kind: 'basic', name }])
const DEPTH_MAX = 100

/**
 * Reads the first value of a stream in Go's gob encoding, with the type definitions that come before it. Interfaces and
 * complex numbers are not read.
 *
 * @throws {PushImportError}
 */
export function readGob(bytes: Buffer): GobValue {
  const types = new Map<number, GobType>(BASIC)
  const reader = new GobReader(bytes, types)
  while (!reader.atEnd) {
    reader.uint() // The message's length; messages follow each other without a gap.
    const id = reader.int()
    if (id < 0) types.set(-id, reader.typeDefinition())
    else {
      if (types.get(id)?.kind !== 'struct') reader.uint() // A single value stands as if it were a struct's field.
      return reader.value(id, 0)
    }
  }
  throw new PushImportError('the file holds no value')
}

class GobReader {
  readonly #bytes: Buffer
  readonly #types: ReadonlyMap<number, GobType>
  #at = 0

  constructor(bytes: Buffer, types: ReadonlyMap<number, GobType>) {
    this.#bytes = bytes
    this.#types = types
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  value(typeId: number, depth: number): GobValue {
    const type = this.#types.get(typeId)
    if (type === undefined || depth > DEPTH_MAX) throw new PushImportError(`unknown type ${typeId} at byte ${this.#at}`)
    switch (type.kind) {
      case 'basic':
        return this.#basic(type.name)
      case 'opaque':
        return this.#take(this.uint())
      case 'map':
        return new Map(this.#list(() => [this.value(type.key, depth + 1), this.value(type.elem, depth + 1)]))
      case 'struct':
        return this.#struct((index) => {
          const field = type.fields[index]
          if (field === undefined) throw new PushImportError(`unknown field at byte ${this.#at}`)
          return [field.name, this.value(field.type, depth + 1)]
        })
      default:
        return this.#list(() => this.value(type.elem, depth + 1))
    }
  }

  /** The wire form of a type: one field that says its kind, in it the name and id, then what it is made of. */
  typeDefinition(): GobType {
    const kinds: (() => GobType)[] = [
      () => ({ kind: 'array', elem: this.#typeParts().elem ?? 0 }),
      () => ({ kind: 'slice', elem: this.#typeParts().elem ?? 0 }),
      () => this.#structType(),
      () => {
        const { elem = 0, second = 0 } = this.#typeParts()
        return { kind: 'map', key: elem, elem: second }
      },
    ]
    const kind = this.uint()
    const read = kinds[kind - 1]
    let type: GobType = { kind: 'opaque' }
    if (read !== undefined) type = read()
    else this.#struct(() => ['common', this.#common()])
    if (this.uint() !== 0) throw new PushImportError(`bad type definition at byte ${this.#at}`)
    return type
  }

  /** After the common part up to two numbers: types of elements, or a length. */
  #typeParts(): { elem?: number; second?: number } {
    return this.#struct((index) =>
      index === 0 ? ['common', this.#common()] : [index === 1 ? 'elem' : 'second', this.int()],
    ) as { elem?: number; second?: number }
  }

  #structType(): GobType {
    const fields: { name: string; type: number }[] = []
    this.#struct((index) => {
      if (index === 0) return ['common', this.#common()]
      const list = this.#list(() =>
        this.#struct((part) => (part === 0 ? ['name', this.#text()] : ['type', this.int()])),
      )
      for (const field of list) fields.push({ name: String(field.name), type: Number(field.type) })
      return ['fields', 0]
    })
    return { kind: 'struct', fields }
  }

  #common(): GobStruct {
    return this.#struct((index) => (index === 0 ? ['name', this.#text()] : ['id', this.int()]))
  }

  /** Fields come as the distance to the one before; the distance 0 ends. */
  #struct(read: (index: number) => readonly [name: string, value: GobValue]): GobStruct {
    const struct: Record<string, GobValue> = {}
    for (let index = -1; ; ) {
      const delta = this.uint()
      if (delta === 0) return struct
      index += delta
      const [name, value] = read(index)
      struct[name] = value
    }
  }

  #list<T>(read: () => T): T[] {
    const count = this.uint()
    if (count > this.#bytes.length) throw endsEarly()
    return Array.from({ length: count }, read)
  }

  #basic(name: Extract<GobType, { kind: 'basic' }>['name']): GobValue {
    if (name === 'string') return this.#text()
    if (name === 'bytes') return this.#take(this.uint())
    if (name === 'int') return this.int()
    if (name === 'float') return this.#float()
    const value = this.uint()
    return name === 'bool' ? value !== 0 : value
  }

  /** The bytes of the number backwards, so that zeros at its end cost nothing. */
  #float(): number {
    const bits = this.#bigUint()
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(bits)
    return bytes.readDoubleBE()
  }

  #text(): string {
    return this.#take(this.uint()).toString('utf8')
  }

  int(): number {
    const value = this.#bigUint()
    return Number(value & 1n ? ~(value >> 1n) : value >> 1n)
  }

  uint(): number {
    return Number(this.#bigUint())
  }

  #bigUint(): bigint {
    const first = this.#bytes[this.#at++]
    if (first === undefined) throw endsEarly()
    if (first < 0x80) return BigInt(first)
    const count = 256 - first
    if (count > 8) throw new PushImportError(`bad number at byte ${this.#at}`)
    return BigInt(`0x${this.#take(count).toString('hex')}`)
  }

  #take(count: number): Buffer {
    const end = this.#at + count
    if (end > this.#bytes.length) throw endsEarly()
    const part = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return part
  }
}

const endsEarly = (): PushImportError => new PushImportError('the file ends in the middle of a value')
