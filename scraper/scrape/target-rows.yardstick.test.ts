import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { LockstepParam, wasmLockstep } from '../../kernels/index.ts'
import { type ExpositionFormat, labelsKey, parseExposition } from '../../model/index.ts'
import { PageMemory } from './page-memory.ts'
import { RecordingStore } from './recording-store.ts'
import { TargetRows } from './target-rows.ts'
import { REPORT, RULES } from './testing.ts'

const folder = join(
  process.env['BELLTOWER_YARDSTICKS'] ?? join(import.meta.dirname, '../../../shared/yardsticks'),
  'expositions',
)
const here = existsSync(folder)
if (!here) console.warn(`skipped: no yardstick data at ${folder}`)

const HONEST = { ...RULES, honorLabels: true, honorTimestamps: false }

/** Other numbers in the forms exporters print, every third line. */
function changed(text: string, turn: number): string {
  let i = 0
  return text.replace(/^([^#\n].*?[ }])([-+.\deENaInf]+)$/gm, (whole, key: string) =>
    i++ % 3 === turn % 3 ? `${key}${['12345', '0.5', '1.7e+09', '3.141592653589793', 'NaN'][(i + turn) % 5]}` : whole,
  )
}

describe.skipIf(!here)('recorded pages', () => {
  const memory = new PageMemory(wasmLockstep)
  test.each(here ? readdirSync(folder) : [])('%s: the rows say what the general parser reads', (name) => {
    const format: ExpositionFormat = name.includes('.om.') ? 'openmetrics' : 'text'
    const recorded = readFileSync(join(folder, name), 'utf8')
    const text = format === 'text' || recorded.trimEnd().endsWith('# EOF') ? recorded : `${recorded}# EOF\n`
    const store = new RecordingStore()
    const rows = new TargetRows({ memory, store, appendable: undefined }, ['job', 'j'], HONEST)
    let plain = true
    for (let turn = 0; turn < 4; turn++) {
      // Where something stands behind values, the last number of a line is not its value.
      const body = Buffer.from(turn === 0 || !plain ? text : changed(text, turn))
      const want = new Map<string, number>()
      parseExposition(body, format, {
        sample: ({ labels, value, exemplar, timestampMs }) => {
          const key = labelsKey(labels.includes('job') ? labels : [...labels, 'job', 'j'])
          const sorted = key.split('\u00ff')
          const pairs = Array.from(
            { length: sorted.length / 2 },
            (_, i) => [sorted[i * 2]!, sorted[i * 2 + 1]!] as const,
          )
          const full = labelsKey(pairs.sort(([a], [b]) => (a < b ? -1 : 1)).flat())
          if (!want.has(full)) want.set(full, value)
          plain &&= exemplar === undefined && timestampMs === undefined
        },
      })
      rows.read(body, format)
      // From the second page on the kernel alone compares, unless something stands behind the values.
      if (turn > 1 && plain) expect(memory.params[LockstepParam.COMPLETE]).toBe(1)
      void rows.write(1000 + turn, REPORT)
      const got = [...store.groups[0]!.rows.at(-1)!.samples].filter(
        ([key]) => !/^__name__.(up|scrape_\w+).job.j$/.test(key),
      )
      const ordered = (entries: Iterable<[string, unknown]>) => [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
      expect(ordered(got)).toEqual(ordered(want))
    }
    rows.close()
  })
})
