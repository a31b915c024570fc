import { LockstepEvent, type LockstepKernel, LockstepMap, LockstepParam as P, LOCKSTEP_NO_ENTRY } from './lockstep.ts'

/** The same rules as the WebAssembly kernel, written plainly; tests hold one against the other. */
export function twinLockstep(memory: WebAssembly.Memory, paramsAt: number): LockstepKernel {
  const params = (): Uint32Array => new Uint32Array(memory.buffer, paramsAt, 24)
  return {
    compare: () => compare(memory, params()),
    apply: () => apply(memory, params()),
    rematch: () => rematch(memory, params()),
    copy: (to, from, length) => void new Uint8Array(memory.buffer).copyWithin(to, from, from + length),
    countLines: (at, length) => page(memory, at, length).split('\n').length - 1,
    order(entries, entryCount, _slots, _positionCount, out) {
      const byPosition = new Map<number, Buffer>()
      for (let at = entries; at < entries + entryCount * 16; at += 16) {
        const entry = Buffer.from(Buffer.from(memory.buffer, at, 16))
        byPosition.set(entry.readUInt32LE(0), entry)
      }
      const sorted = [...byPosition].sort(([a], [b]) => a - b).map(([, entry]) => entry)
      Buffer.from(memory.buffer, out, sorted.length * 16).set(Buffer.concat(sorted))
      return sorted.length
    },
  }
}

interface Line {
  readonly keyStart: number
  readonly valueStart: number
  readonly valueEnd: number
}

function compare(memory: WebAssembly.Memory, p: Uint32Array): number {
  const cur = page(memory, p[P.CUR]!, p[P.CUR_LENGTH]!)
  const prev = page(memory, p[P.PREV]!, p[P.PREV_LENGTH]!)
  const lines = oldLines(memory, p)
  const map = new Int32Array(memory.buffer, p[P.MAP]!, lines.length)
  const lengths = new Uint32Array(memory.buffer, p[P.LENGTHS]!, lines.length * 2)
  const out = new Output(memory, p)
  let at = 0
  let prevAt = 0
  let lengthCount = 0
  let i = 0
  for (; i < lines.length; i++) {
    const line = lines[i]!
    const gap = prev.slice(prevAt, line.valueStart)
    const start = at + gap.length
    if (cur.slice(at, start) !== gap) break
    const value = tokenAt(cur, start)
    const oldValue = prev.slice(line.valueStart, line.valueEnd)
    if (value.length === 0 || value.length > 255) break
    if (value.length !== oldValue.length) lengths.set([i, value.length], lengthCount++ * 2)
    if (value !== oldValue) out.value(value, start, map[i]!)
    at = start + value.length
    prevAt = line.valueEnd
  }
  p[P.LENGTH_COUNT] = lengthCount
  p[P.COMPLETE] = i === lines.length && cur.slice(at) === prev.slice(prevAt) ? 1 : 0
  out.finish()
  return i
}

function apply(memory: WebAssembly.Memory, p: Uint32Array): void {
  const table = new Uint32Array(memory.buffer, p[P.TABLE]!, p[P.LINE_COUNT]! * 2)
  const lengths = new Uint32Array(memory.buffer, p[P.LENGTHS]!, p[P.LENGTH_COUNT]! * 2)
  for (let i = 0; i < lengths.length; i += 2) {
    const at = lengths[i]! * 2 + 1
    table[at] = (table[at]! & 0xffffff00) | lengths[i + 1]!
  }
}

function rematch(memory: WebAssembly.Memory, p: Uint32Array): number {
  const cur = page(memory, p[P.CUR]!, p[P.CUR_LENGTH]!)
  const prev = page(memory, p[P.PREV]!, p[P.PREV_LENGTH]!)
  const lines = oldLines(memory, p)
  const map = new Int32Array(memory.buffer, p[P.MAP]!, lines.length)
  const matched = new Uint8Array(memory.buffer, p[P.MATCHED]!, lines.length).fill(0)
  const newTable = new DataView(memory.buffer, p[P.NEW_TABLE]!)
  const newMap = new DataView(memory.buffer, p[P.NEW_MAP]!)
  const keys = lines.map((line) => prev.slice(line.keyStart, line.valueStart))
  const free = (i: number, key: string): boolean =>
    keys[i] === key && matched[i] === 0 && map[i] !== LockstepMap.DUPLICATE
  const out = new Output(memory, p)
  let irregular = 0
  let lastEnd = 0
  let guess = 0
  let count = 0
  for (let at = 0; at < cur.length; ) {
    const end = cur.indexOf('\n', at)
    const text = cur.slice(at, end)
    const lineStart = at + /^[ \t]*/.exec(text)![0].length
    at = end + 1
    if (lineStart === end) continue
    if (cur[lineStart] === '#') {
      out.event(LockstepEvent.COMMENT, 0, lineStart, end)
      continue
    }
    const key = KEY.exec(cur.slice(lineStart, end))?.[0]
    const open = key !== undefined && cur[lineStart + key.length] === '{' && !key.includes('{')
    if (key === undefined || open || lineStart + key.length === end) return -1
    const start = lineStart + key.length
    const value = tokenAt(cur, start)
    if (value.length > 255 || key.length > 0xffffff) irregular = 1
    // A brace could still belong to the key, so the kernel looks such a line up.
    const old = free(guess, key) && cur[start] !== '{' ? guess : keys.findIndex((_, i) => free(i, key))
    newTable.setUint32(count * 8, start - lastEnd, true)
    newTable.setUint32(count * 8 + 4, (key.length << 8) | Math.min(value.length, 255), true)
    lastEnd = start + value.length
    newMap.setInt32(count * 4, old < 0 ? LockstepMap.FRESH : map[old]!, true)
    if (old < 0) out.event(LockstepEvent.FRESH, count, lineStart, end)
    else {
      matched[old] = 1
      guess = old + 1
      const external = map[old]! <= LockstepMap.EXTERNAL_LAST
      const same = prev.slice(lines[old]!.valueStart, lines[old]!.valueEnd) === value
      if (lastEnd < end || external) out.event(LockstepEvent.SUFFIX, count, lineStart, end)
      else if (!same || p[P.FORCE] !== 0) out.value(value, start, map[old]!)
    }
    count++
  }
  p[P.IRREGULAR] = irregular
  p[P.MATCHED_COUNT] = matched.reduce((sum, one) => sum + one, 0)
  out.finish()
  return count
}

// Name, then labels with quoted strings that may hold anything but a newline, then blanks.
const KEY = /^[^\n\t {]*[ \t]*(?:\{(?:[^"}]|"(?:\\.|[^\\"])*")*\}[ \t]*)?/

/** One character a byte, so that offsets agree. */
const page = (memory: WebAssembly.Memory, at: number, length: number): string =>
  Buffer.from(memory.buffer, at, length).toString('latin1')

const tokenAt = (text: string, at: number): string => /^[^\n\t ]*/.exec(text.slice(at, at + 1_000_000))![0]

function oldLines(memory: WebAssembly.Memory, p: Uint32Array): Line[] {
  const table = new Uint32Array(memory.buffer, p[P.TABLE]!, p[P.LINE_COUNT]! * 2)
  const lines: Line[] = []
  let at = 0
  for (let i = 0; i < table.length; i += 2) {
    const valueStart = at + table[i]!
    const keyStart = valueStart - (table[i + 1]! >>> 8)
    at = valueStart + (table[i + 1]! & 255)
    lines.push({ keyStart, valueStart, valueEnd: at })
  }
  return lines
}

class Output {
  readonly #params: Uint32Array
  readonly #entries: DataView
  readonly #events: DataView
  #entryCount = 0
  #eventCount = 0
  #lastPosition = -1
  #ordered = 1

  constructor(memory: WebAssembly.Memory, params: Uint32Array) {
    this.#params = params
    this.#entries = new DataView(memory.buffer, params[P.ENTRIES]!)
    this.#events = new DataView(memory.buffer, params[P.EVENTS]!)
  }

  event(kind: number, index: number, start: number, end: number): void {
    const at = this.#eventCount++ * 16
    for (const [i, word] of [kind, index, start, end].entries()) this.#events.setUint32(at + i * 4, word, true)
  }

  value(text: string, start: number, position: number): void {
    const decimal = parseDecimal(text)
    const index = position < 0 ? LOCKSTEP_NO_ENTRY : this.#entryCount
    if (!decimal) this.event(LockstepEvent.SLOW, index, start, start + text.length)
    if (position < 0) return
    const at = this.#entryCount++ * 16
    this.#entries.setUint32(at, position, true)
    this.#entries.setUint32(at + 4, decimal ? 1 | ((decimal.exponent & 255) << 8) : 2, true)
    this.#entries.setBigInt64(at + 8, decimal?.mantissa ?? 0n, true)
    if (position <= this.#lastPosition) this.#ordered = 0
    this.#lastPosition = position
  }

  finish(): void {
    this.#params[P.ENTRY_COUNT] = this.#entryCount
    this.#params[P.EVENT_COUNT] = this.#eventCount
    this.#params[P.ORDERED] = this.#ordered
  }
}

const MANTISSA_MAX = 2n ** 53n

function parseDecimal(text: string): { mantissa: bigint; exponent: number } | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text)
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match ?? []
  const digits = whole + fraction
  if (!match || digits === '' || digits.replace(/^0+/, '').length > 18) return undefined
  let mantissa = BigInt(digits)
  let exponent = mantissa === 0n ? 0 : fraction.length - Number(exponentText)
  if (mantissa > MANTISSA_MAX || (mantissa === 0n && sign === '-')) return undefined
  for (; exponent < 0 && mantissa * 10n <= MANTISSA_MAX; exponent++) mantissa *= 10n
  if (Math.abs(exponent) > 22) return undefined
  return { mantissa: sign === '-' ? -mantissa : mantissa, exponent }
}
