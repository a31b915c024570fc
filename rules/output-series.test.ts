import { expect, test } from 'vitest'
import { silentLogger } from '../lib/log.ts'
import {
  type Appender,
  DuplicateSampleError,
  EMPTY_LABELS,
  type InstantValue,
  type Labels,
  labelsText,
  type SeriesRef,
} from '../model/index.ts'
import { OutputSeries } from './output-series.ts'
import { RecordingRule } from './recording-rule.ts'

/** Notes what is written, with the reference it came with; refuses the series that are named. */
function recorder(refused: ReadonlySet<string> = new Set()) {
  const lines: string[] = []
  const numbers = new Map<string, number>()
  const write = (ref: SeriesRef | undefined, labels: Labels, what: string): SeriesRef => {
    const text = labelsText(labels)
    if (refused.has(text)) throw new DuplicateSampleError('duplicate sample')
    lines.push(`${ref ?? 'new'} ${text} ${what}`)
    if (!numbers.has(text)) numbers.set(text, numbers.size + 1)
    return numbers.get(text) as SeriesRef
  }
  const appender = {
    append: (ref, labels, _timeMs, value) => write(ref, labels, String(value)),
    appendStale: (ref, labels) => write(ref, labels, 'stale'),
  } as Partial<Appender> as Appender
  return { appender, lines, takeLines: () => lines.splice(0) }
}

const A: Labels = ['__name__', 'a']
const B: Labels = ['__name__', 'b']
const C: Labels = ['__name__', 'c']

test('series keep their references, by the same label objects or by equal ones, and end when they are missing', () => {
  const series = new OutputSeries()
  const { appender, takeLines } = recorder()
  const evaluate = (...labels: Labels[]): string[] => {
    series.stage(
      appender,
      0,
      labels.map((one, value) => ({ labels: one, value })),
      silentLogger,
    )
    series.settle()
    return takeLines()
  }
  expect(evaluate(A, B)).toEqual(['new a 0', 'new b 1'])
  expect(evaluate(A, B)).toEqual(['1 a 0', '2 b 1'])
  expect(evaluate([...A], B)).toEqual(['1 a 0', '2 b 1'])
  expect(evaluate(B, A)).toEqual(['2 b 0', '1 a 1'])
  expect(evaluate(B, C)).toEqual(['2 b 0', 'new c 1', '1 a stale'])
  expect(evaluate()).toEqual(['2 b stale', '3 c stale'])
  expect(evaluate()).toEqual([])
})

test('what the store refuses is told, and not ended from here later', () => {
  const series = new OutputSeries()
  const refused = new Set<string>()
  const { appender, takeLines } = recorder(refused)
  const samples = [A, B].map((labels) => ({ labels, value: 1 }))
  const stage = (): string | undefined => {
    const refusal = series.stage(appender, 0, samples, silentLogger)
    series.settle()
    return refusal
  }
  expect(stage()).toBeUndefined()
  refused.add('b')
  expect(stage()).toBe('duplicate sample')
  refused.clear()
  takeLines()
  series.stage(appender, 0, [], silentLogger)
  expect(takeLines()).toEqual(['1 a stale'])
})

test('a batch that fails leaves the series as they were', () => {
  const series = new OutputSeries()
  const { appender, takeLines } = recorder()
  series.stage(appender, 0, [{ labels: A, value: 1 }], silentLogger)
  series.settle()
  series.stage(appender, 0, [{ labels: B, value: 1 }], silentLogger)
  takeLines()
  series.stage(appender, 0, [], silentLogger)
  expect(takeLines()).toEqual(['1 a stale'])
})

test('a recording rule writes the same label objects for as long as its expression yields the same', async () => {
  const rule = new RecordingRule({ kind: 'recording', name: 'r', expr: 'x', labels: { own: '1' } })
  const x: Labels = ['host', 'x']
  const y: Labels = ['host', 'y']
  const evaluate = async (...labels: Labels[]) => {
    const samples = labels.map((one, value) => ({ labels: one, timestampMs: 0, value }))
    const query = async (): Promise<InstantValue> => ({ type: 'vector', samples })
    return rule.evaluate({ timeMs: 0, queryTimeMs: 0, query, externalLabels: EMPTY_LABELS, externalUrl: '', limit: 0 })
  }
  const first = await evaluate(x, y)
  expect(first.map(({ labels, value }) => [labelsText(labels), value])).toEqual([
    ['r{host="x", own="1"}', 0],
    ['r{host="y", own="1"}', 1],
  ])
  const second = await evaluate(x, y)
  expect(second[1]!.labels).toBe(first[1]!.labels)
  expect((await evaluate(y)).map(({ labels }) => labelsText(labels))).toEqual(['r{host="y", own="1"}'])
  await expect(evaluate(x, ['__name__', 'm', 'host', 'x'])).rejects.toThrow('same labelset')
  expect((await evaluate(x, y)).map(({ labels }) => labelsText(labels))).toEqual(
    first.map(({ labels }) => labelsText(labels)),
  )
})
