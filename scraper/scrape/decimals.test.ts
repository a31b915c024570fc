import { expect, test } from 'vitest'
import { LockstepParam, wasmLockstep } from '../../kernels/index.ts'
import { type GroupAppendable, type GroupWriter, ROW_ENTRY_BYTES, SampleKind } from '../../model/index.ts'
import { PageMemory } from './page-memory.ts'
import { TargetRows } from './target-rows.ts'
import { REPORT, RULES } from './testing.ts'

// Every decimal that a page may hold is read as `Number` reads it, bit for bit. BELLTOWER_DECIMALS=10000000 makes it a soak.
const WANTED = Number(process.env.BELLTOWER_DECIMALS ?? 300_000)
const SEED = Number(process.env.BELLTOWER_SEED ?? 7)
const LINE_COUNT = 2000

/** The last value of each position, as a store would understand the entries. */
class LastValues implements GroupAppendable {
  readonly values = new Float64Array(LINE_COUNT + 16)
  readonly #bits = new DataView(this.values.buffer)
  openGroup(): GroupWriter {
    let count = 0
    const take = (entries: Uint8Array, entryCount: number): void => {
      const view = new DataView(entries.buffer, entries.byteOffset, entryCount * ROW_ENTRY_BYTES)
      for (let at = 0; at < view.byteLength; at += ROW_ENTRY_BYTES) {
        const position = view.getUint32(at, true)
        const kind = view.getUint8(at + 4)
        if (kind === SampleKind.RAW) this.#bits.setBigUint64(position * 8, view.getBigUint64(at + 8, true), true)
        else if (kind === SampleKind.DECIMAL) {
          const exponent = view.getInt8(at + 5)
          const mantissa = Number(view.getBigInt64(at + 8, true))
          this.values[position] = exponent >= 0 ? mantissa / 10 ** exponent : mantissa * 10 ** -exponent
        }
      }
    }
    return {
      get positionCount() {
        return count
      },
      addSeries: (labels) => (count += labels.length) - labels.length,
      writeRow: (_timeMs, entries, entryCount) => take(entries, entryCount),
      close: () => undefined,
    }
  }
  flushed(): Promise<void> {
    return Promise.resolve()
  }
}

let state = SEED >>> 0
const below = (count: number): number => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor(((state >>> 8) / 2 ** 24) * count)
}
const buffer = new DataView(new ArrayBuffer(8))

/** Short and long ones, halves between two floats, shortest forms of random bits. */
function decimal(): string {
  const digits = (count: number): string => Array.from({ length: count }, () => below(10)).join('')
  const sign = below(4) === 0 ? '-' : ''
  switch (below(5)) {
    case 0:
      return `${sign}${1 + below(9)}${digits(below(7))}`
    case 1:
      return `${sign}${digits(1 + below(6))}.${digits(1 + below(12))}`
    case 2:
      return `${sign}${digits(1 + below(20))}.${digits(below(20))}e${below(2) === 0 ? '-' : '+'}${below(30)}`
    case 3:
      return `${sign}${digits(1 + below(3))}.${digits(15 + below(6))}e${below(600) - 320}`
    default: {
      buffer.setUint32(0, below(2 ** 16) * 65536 + below(65536))
      buffer.setUint32(4, below(2 ** 16) * 65536 + below(65536))
      const value = buffer.getFloat64(0)
      return Number.isFinite(value) ? String(value) : '0'
    }
  }
}

test(`${WANTED} decimals, seed ${SEED}: every one equal to Number()`, { timeout: 600_000 }, () => {
  const memory = new PageMemory(wasmLockstep)
  const store = new LastValues()
  const rows = new TargetRows({ memory, store, appendable: undefined }, [], RULES)
  const wrong: string[] = []
  for (let page = 0; page * LINE_COUNT < WANTED + LINE_COUNT; page++) {
    const texts = Array.from({ length: LINE_COUNT }, () => {
      const text = decimal()
      // Too big for a float: a page with it is refused.
      return Number.isFinite(Number(text)) ? text : '1'
    })
    rows.read(Buffer.from(texts.map((text, i) => `a{i="${i}"} ${text}\n`).join('')), 'text')
    // From the second page on the kernel alone reads the numbers.
    if (page > 0) expect(memory.params[LockstepParam.COMPLETE]).toBe(1)
    void rows.write(1000 + page, REPORT)
    const base = 5
    for (const [i, text] of texts.entries()) {
      if (!Object.is(store.values[base + i], Number(text))) wrong.push(`${text}: ${store.values[base + i]}`)
    }
  }
  expect(wrong.slice(0, 10)).toEqual([])
})
