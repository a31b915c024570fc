/** DNS messages (RFC 1035), as far as a probe needs them: one question out, records in. */
const TYPE_NUMBERS: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  DS: 43,
  DNSKEY: 48,
  CAA: 257,
  ANY: 255,
}
const CLASS_NUMBERS: Readonly<Record<string, number>> = { IN: 1, CH: 3, ANY: 255 }
const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED', 'YXDOMAIN', 'YXRRSET', 'NXRRSET']
const POINTERS_MAX = 64

export interface DnsQuestion {
  readonly id: number
  readonly name: string
  /** By name, or `TYPE123`. */
  readonly type: string
  readonly class: string
  readonly recursionDesired: boolean
}

export interface DnsRecord {
  readonly type: number
  /** As zone files write it: name, seconds to live, class, type, data. */
  readonly text: string
  /** Of SOA records. */
  readonly serial: number | undefined
}

export interface DnsAnswer {
  readonly id: number
  readonly rcode: string
  readonly isTruncated: boolean
  readonly answers: readonly DnsRecord[]
  readonly authorities: readonly DnsRecord[]
  readonly additionals: readonly DnsRecord[]
}

/** `undefined` for a type that has no number. */
export function typeNumber(type: string): number | undefined {
  const match = /^TYPE(\d+)$/.exec(type.toUpperCase())
  return match ? Number(match[1]) : TYPE_NUMBERS[type.toUpperCase()]
}

export function encodeQuestion(question: DnsQuestion): Buffer {
  const labels = question.name.replace(/\.$/, '').split('.').filter(Boolean)
  const name = labels.flatMap((label) => {
    const bytes = [...Buffer.from(label)]
    return [bytes.length, ...bytes]
  })
  const header = Buffer.alloc(12)
  header.writeUInt16BE(question.id, 0)
  header.writeUInt16BE(question.recursionDesired ? 0x0100 : 0, 2)
  header.writeUInt16BE(1, 4)
  const tail = Buffer.alloc(4)
  tail.writeUInt16BE(typeNumber(question.type) ?? 255, 0)
  tail.writeUInt16BE(CLASS_NUMBERS[question.class] ?? 1, 2)
  return Buffer.concat([header, Buffer.from([...name, 0]), tail])
}

/** @throws {Error} for bytes that are no message */
export function decodeAnswer(message: Buffer): DnsAnswer {
  if (message.length < 12) throw new Error('the answer is too short')
  const flags = message.readUInt16BE(2)
  if ((flags & 0x8000) === 0) throw new Error('the answer is a question')
  const reader = new Reader(message)
  for (let i = message.readUInt16BE(4); i > 0; i--) {
    reader.name()
    reader.skip(4)
  }
  const section = (at: number): DnsRecord[] => Array.from({ length: message.readUInt16BE(at) }, () => reader.record())
  return {
    id: message.readUInt16BE(0),
    rcode: RCODES[flags & 15] ?? String(flags & 15),
    isTruncated: (flags & 0x0200) !== 0,
    answers: section(6),
    authorities: section(8),
    additionals: section(10),
  }
}

class Reader {
  readonly #bytes: Buffer
  #at = 12

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  skip(count: number): void {
    this.#at += count
  }

  name(): string {
    const labels: string[] = []
    let at = this.#at
    let end = -1
    for (let pointers = 0; ; ) {
      const length = this.#bytes.readUInt8(at)
      if (length >= 0xc0) {
        if (++pointers > POINTERS_MAX) throw new Error('a name points in circles')
        if (end < 0) end = at + 2
        at = this.#bytes.readUInt16BE(at) & 0x3fff
      } else if (length === 0) {
        this.#at = end < 0 ? at + 1 : end
        return `${labels.join('.')}.`
      } else {
        labels.push(this.#bytes.toString('latin1', at + 1, at + 1 + length))
        at += 1 + length
      }
    }
  }

  record(): DnsRecord {
    const name = this.name()
    const type = this.#bytes.readUInt16BE(this.#at)
    const ttl = this.#bytes.readUInt32BE(this.#at + 4)
    const length = this.#bytes.readUInt16BE(this.#at + 8)
    this.skip(10)
    const end = this.#at + length
    if (end > this.#bytes.length) throw new Error('a record is cut off')
    const { data, serial } = this.#data(type, end)
    this.#at = end
    const typeName = Object.keys(TYPE_NUMBERS).find((key) => TYPE_NUMBERS[key] === type) ?? `TYPE${type}`
    return { type, serial, text: `${name}\t${ttl}\tIN\t${typeName}\t${data}` }
  }

  #u16(): number {
    this.#at += 2
    return this.#bytes.readUInt16BE(this.#at - 2)
  }

  #u32(): number {
    this.#at += 4
    return this.#bytes.readUInt32BE(this.#at - 4)
  }

  #data(type: number, end: number): { data: string; serial: number | undefined } {
    const plain = (data: string) => ({ data, serial: undefined })
    switch (type) {
      case TYPE_NUMBERS['A']:
        return plain([...this.#bytes.subarray(this.#at, end)].join('.'))
      case TYPE_NUMBERS['AAAA']:
        return plain(addressText(this.#bytes.subarray(this.#at, end)))
      case TYPE_NUMBERS['NS']:
      case TYPE_NUMBERS['CNAME']:
      case TYPE_NUMBERS['PTR']:
        return plain(this.name())
      case TYPE_NUMBERS['MX']:
        return plain(`${this.#u16()} ${this.name()}`)
      case TYPE_NUMBERS['SRV']:
        return plain(`${this.#u16()} ${this.#u16()} ${this.#u16()} ${this.name()}`)
      case TYPE_NUMBERS['TXT']: {
        const texts: string[] = []
        while (this.#at < end) {
          const length = this.#bytes.readUInt8(this.#at)
          texts.push(`"${this.#bytes.toString('utf8', this.#at + 1, this.#at + 1 + length)}"`)
          this.skip(1 + length)
        }
        return plain(texts.join(' '))
      }
      case TYPE_NUMBERS['SOA']: {
        const names = `${this.name()} ${this.name()}`
        const serial = this.#u32()
        return { data: [names, serial, this.#u32(), this.#u32(), this.#u32(), this.#u32()].join(' '), serial }
      }
      default:
        return plain(`\\# ${end - this.#at} ${this.#bytes.toString('hex', this.#at, end)}`)
    }
  }
}

/** With the longest run of zeros left out. */
function addressText(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16))
  const full = groups.join(':')
  const runs = full.match(/\b0(:0)+\b/g) ?? []
  const longest = runs.sort((a, b) => b.length - a.length)[0]
  return longest === undefined ? full : full.replace(longest, '::').replace(/:{3,}/, '::')
}
