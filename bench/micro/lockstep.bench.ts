// The scrape's hot path: a page of 507 samples against the page before, a quarter of the values changed; the copy into the
// kernel's memory included. Not measured: HTTP, unpacking, the store. Samples a second = ops/s times the samples in the name.
// Run: npx vitest bench bench/micro/lockstep.bench.ts
import { bench, describe } from 'vitest'
import {
  createKernelMemory,
  KERNEL_RESERVED_BYTES,
  LOCKSTEP_PARAM_BYTES,
  LockstepParam as P,
  wasmLockstep,
} from '../../kernels/index.ts'
import { parseExposition } from '../../model/index.ts'

const SAMPLES = 507
const AREA = 1 << 18

/** Shaped like a node_exporter page: 57 kB, counters, seconds with two decimals, a few numbers of 17 digits. */
function page(turn: number): Uint8Array {
  const lines: string[] = []
  for (let i = 0; i < SAMPLES; i++) {
    if (i % 2 === 0)
      lines.push(`# HELP node_metric_${i} What the kernel says about it.`, `# TYPE node_metric_${i} gauge`)
    const moving = i % 4 === 0 ? turn : 0
    const base = i * 7919 + moving * 3
    const value = i % 50 === 0 ? Math.sqrt(base + 2) : i % 3 === 0 ? base / 100 : base
    lines.push(`node_metric_${i - (i % 2)}{cpu="${i % 8}",mode="system",device="/dev/sda${i}"} ${value}`)
  }
  return Buffer.from(`${lines.join('\n')}\n`)
}

const pages = Array.from({ length: 40 }, (_, turn) => page(turn))
const memory = createKernelMemory({ initialBytes: KERNEL_RESERVED_BYTES + 10 * AREA, maximumBytes: 1 << 26 })
const kernel = wasmLockstep(memory, KERNEL_RESERVED_BYTES)
const params = new Uint32Array(memory.buffer, KERNEL_RESERVED_BYTES, LOCKSTEP_PARAM_BYTES / 4)
const bytes = new Uint8Array(memory.buffer)
const area = (i: number): number => KERNEL_RESERVED_BYTES + (i + 1) * AREA
const AREAS = [P.TABLE, P.MAP, P.ENTRIES, P.LENGTHS, P.EVENTS, P.NEW_TABLE, P.NEW_MAP]
const areasAt = new Map(AREAS.map((param, i) => [param, area(i + 2)]))
for (const [param, at] of areasAt) params[param] = at

function load(turn: number): void {
  // The page before becomes the one to compare with; the other area takes the new one.
  const at = area(turn % 2)
  const body = pages[turn % pages.length]!
  bytes.set(body, at)
  params[P.PREV] = params[P.CUR]!
  params[P.PREV_LENGTH] = params[P.CUR_LENGTH]!
  params[P.CUR] = at
  params[P.CUR_LENGTH] = body.length
}

let turn = 0
load(turn++)
params[P.STARTS] = area(0) + AREA / 2
params[P.HASHES] = area(0) + AREA / 2
params[P.MATCHED] = area(0) + AREA / 2
params[P.LINE_COUNT] = 0
const lineCount = kernel.rematch()
bytes.copyWithin(areasAt.get(P.TABLE)!, areasAt.get(P.NEW_TABLE)!, areasAt.get(P.NEW_TABLE)! + lineCount * 8)
const map = new Int32Array(memory.buffer, areasAt.get(P.MAP)!, lineCount)
for (let i = 0; i < lineCount; i++) map[i] = i
params[P.LINE_COUNT] = lineCount
let changed = 0

describe(`${lineCount} samples, ${Math.round(pages[0]!.length / 1000)} kB`, () => {
  bench('kernel, lock-step', () => {
    load(turn++)
    kernel.compare()
    if (params[P.COMPLETE] !== 1) throw new Error('pages should differ in values only')
    kernel.apply()
    changed += params[P.ENTRY_COUNT]!
  })
  bench('general parser', () => {
    parseExposition(pages[turn++ % pages.length]!, 'text', { sample: () => changed++ })
  })
  if (changed < 0) console.log(changed)
})
