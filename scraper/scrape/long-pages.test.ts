import { expect, test } from 'vitest'
import { type ClientMetricFamily, encodeMetricFamilies } from '../../model/index.ts'
import { SampleLimitError, type TargetRowsRules } from './target-rules.ts'
import { TargetRows } from './target-rows.ts'
import { dropping, REPORT, RULES, targetRig } from './testing.ts'

const rig = (rules: Partial<TargetRowsRules> = {}) => targetRig({ relabel: dropping('drop_me'), ...rules })

/** Families with comments, dropped lines, duplicates, own times, odd numbers. */
function longPage(lineCount: number, shift: number): string {
  const lines: string[] = []
  for (let i = 0; i < lineCount; i++) {
    if (i % 50 === 0) lines.push(`# HELP m${i} Some help.`, `# TYPE m${i} ${i % 100 === 0 ? 'histogram' : 'gauge'}`)
    const name = `m${i - (i % 50)}`
    if (i % 97 === 5) lines.push(`${name}{n="drop_me"} 1`)
    else if (i % 101 === 7) lines.push(`${name}{n="${i}"} ${i} ${5000 + i}`)
    else if (i % 103 === 9) lines.push(`${name} {n="${i - 1}" , } ${i}`)
    else lines.push(`${name}_bucket{le="${i}",n="${i % 7}"} ${i % 11 === 0 ? '1.25e-7' : i + shift}`)
  }
  return `${lines.join('\n')}\n# a remark at the end\n`
}

test('a long new page is put off, and once learnt it is read as if at once', async () => {
  const text = longPage(4000, 0)
  const learnt = rig()
  const direct = rig()
  expect(learnt.rows.read(Buffer.from(text), 'text', true)).toBeUndefined()
  let turns = 0
  const count = () => {
    turns++
    timer = setImmediate(count)
  }
  let timer = setImmediate(count)
  await learnt.rows.learn(Buffer.from(text), 'text', () => false)
  clearImmediate(timer)
  // Others had their turns in between.
  expect(turns).toBeGreaterThanOrEqual(4)

  for (const [i, shift] of [0, 1, 1].entries()) {
    const body = Buffer.from(longPage(4000, shift))
    const counts = [learnt, direct].map(({ rows }) =>
      rows.read(body, 'text', rows === learnt.rows ? true : (false as true)),
    )
    expect(counts[0]).toEqual(counts[1])
    if (i > 0) expect(counts[0]?.seriesAdded).toBe(0)
    for (const { rows } of [learnt, direct]) await rows.write(10_000 + i, REPORT)
    const states = [learnt, direct].map(({ store }) => [...store.groups[0]!.rows.at(-1)!.samples].sort())
    expect(states[0]).toEqual(states[1])
    expect(learnt.appendable.committed).toEqual(direct.appendable.committed)
  }
})

test('other pages may come between reading a page and writing its row', async () => {
  const [paused, direct] = [rig(), rig()]
  const other = new TargetRows({ ...paused, appendable: undefined }, ['job', 'other'], RULES)
  let reserved = 0
  for (const shift of [0, 1, 2, 3]) {
    const body = Buffer.from(longPage(4000, shift))
    for (const { rows } of [paused, direct]) rows.read(body, 'text')
    paused.rows.pause()
    for (const [i, page] of [longPage(300, shift), longPage(6000 + shift, 7)].entries()) {
      other.read(Buffer.from(page), 'text')
      await other.write(10_000 + shift * 10 + i, REPORT)
    }
    for (const { rows } of [paused, direct]) await rows.write(10_000 + shift, REPORT)
    const states = [paused, direct].map(({ store }) => [...store.groups[0]!.rows.at(-1)!.samples].sort())
    expect(states[0]).toEqual(states[1])
    expect(paused.appendable.committed).toEqual(direct.appendable.committed)
    if (shift > 1) expect(paused.memory.reservedBytes).toBe(reserved)
    reserved = paused.memory.reservedBytes
  }
  // One that is never written gives back what it held.
  paused.rows.read(Buffer.from(longPage(4000, 5)), 'text')
  paused.rows.pause()
  paused.rows.read(Buffer.from(longPage(4000, 6)), 'text')
  await paused.rows.write(20_000, REPORT)
  expect(paused.memory.reservedBytes).toBe(reserved)
})

test('a fault in the middle is named with its line, a missing end too; nothing stays allocated', async () => {
  const { rows, memory } = rig()
  const lines = longPage(5000, 0).split('\n')
  lines.splice(3210, 0, 'broken{a="b" 1')
  await expect(rows.learn(Buffer.from(lines.join('\n')), 'text', () => false)).rejects.toThrow(/^line 3211: /)
  const reserved = memory.reservedBytes
  for (let i = 0; i < 10; i++) {
    await expect(rows.learn(Buffer.from(lines.join('\n')), 'text', () => false)).rejects.toThrow(/^line 3211: /)
  }
  // Slices are not always as long; ten pages that were not given back would be more.
  expect(memory.reservedBytes - reserved).toBeLessThan(lines.join('\n').length * 2)

  const open = Array.from({ length: 3000 }, (_, i) => `a{i="${i}"} 1`).join('\n')
  await expect(rows.learn(Buffer.from(open), 'openmetrics', () => false)).rejects.toThrow(/line 3001: .*# EOF/)
  await expect(rows.learn(Buffer.from(`# EOF\n${open}`), 'openmetrics', () => false)).rejects.toThrow(/after # EOF/)
  await rows.learn(Buffer.from(`${open}\n# EOF\n`), 'openmetrics', () => false)
  expect(rows.read(Buffer.from(`${open}\n# EOF\n`), 'openmetrics')).toEqual({
    samplesScraped: 3000,
    samplesKept: 3000,
    seriesAdded: 3000,
  })
})

test('what is over the sample limit gets no place in the store', async () => {
  const { rows, store } = rig({ sampleLimit: 2500 })
  const text = Array.from({ length: 9000 }, (_, i) => `a{i="${i}"} 1\n`).join('')
  const failed = rows.learn(Buffer.from(text), 'text', () => false)
  await expect(failed).rejects.toThrow(SampleLimitError)
  await expect(failed).rejects.toMatchObject({ counts: { samplesScraped: 9000, samplesKept: 9000 } })
  expect(store.groups[0]!.positionCount).toBeLessThan(2600)
})

test('a target that goes away while its page is learnt is let go', async () => {
  const { rows, store } = rig()
  let slices = 0
  await rows.learn(Buffer.from(longPage(9000, 0)), 'text', () => ++slices === 3)
  expect(slices).toBe(3)
  expect(store.groups[0]!.positionCount).toBeLessThan(4000)
})

function protobufPage(seriesCount: number, shift: number): Uint8Array {
  const nothing = { timestampMs: undefined, createdMs: undefined, exemplar: undefined, summary: undefined }
  const counter: ClientMetricFamily = {
    name: 'requests_total',
    help: 'h',
    unit: '',
    type: 'counter',
    metrics: Array.from({ length: seriesCount }, (_, i) => ({
      labels: ['n', String(i)],
      value: i + shift,
      histogram: undefined,
      ...nothing,
    })),
  }
  const bucket = (upperBound: number, cumulativeCount: number) => ({ upperBound, cumulativeCount, exemplar: undefined })
  const histogram = { count: 3, sum: 1.5, buckets: [bucket(1, 2)], native: undefined, exemplars: [] }
  const classic: ClientMetricFamily = {
    ...counter,
    name: 'duration',
    type: 'histogram',
    metrics: [{ labels: [], value: undefined, histogram, ...nothing }],
  }
  return encodeMetricFamilies([counter, classic])
}

test('a long page in protobuf is taken apart in turns each time, and read as if at once', async () => {
  const deferred = rig()
  const direct = rig()
  for (const [i, seriesCount] of [6000, 6000, 6001].entries()) {
    const body = protobufPage(seriesCount, i)
    expect(deferred.rows.read(body, 'protobuf', true)).toBeUndefined()
    let turns = 0
    const count = () => {
      turns++
      timer = setImmediate(count)
    }
    let timer = setImmediate(count)
    await deferred.rows.learn(body, 'protobuf', () => false)
    clearImmediate(timer)
    expect(turns).toBeGreaterThanOrEqual(2)
    const counts = [deferred, direct].map(({ rows }) => rows.read(body, 'protobuf'))
    expect(counts[0]).toEqual(counts[1])
    expect(counts[0]).toEqual({
      samplesScraped: seriesCount + 4,
      samplesKept: seriesCount + 4,
      seriesAdded: [6004, 0, 1][i],
    })
    for (const { rows } of [deferred, direct]) await rows.write(10_000 + i, REPORT)
    const states = [deferred, direct].map(({ store }) => [...store.groups[0]!.rows.at(-1)!.samples].sort())
    expect(states[0]).toEqual(states[1])
    expect(deferred.rows.metadata()).toEqual(direct.rows.metadata())
  }
  // Short ones are not put off, broken ones fail while they are taken apart.
  expect(deferred.rows.read(protobufPage(10, 0), 'protobuf', true)).toBeDefined()
  const broken = protobufPage(6000, 0).subarray(0, -3)
  await expect(deferred.rows.learn(broken, 'protobuf', () => false)).rejects.toThrow(/protobuf/)
  let asked = 0
  await deferred.rows.learn(protobufPage(6000, 0), 'protobuf', () => ++asked === 2)
  expect(asked).toBe(2)
})

test('a long text page with classic histograms to be converted is taken apart in turns, and read as if at once', async () => {
  const rules = { convertClassicHistograms: true }
  const deferred = rig(rules)
  const direct = rig(rules)
  const text = (shift: number, end = '') => {
    const lines = ['# TYPE d histogram']
    for (let i = 0; i < 1500; i++) {
      for (const [le, count] of [
        ['0.5', i],
        ['2', i + shift],
        ['+Inf', 2 * i + shift],
      ] as const) {
        lines.push(`d_bucket{n="${i}",le="${le}"} ${count}`)
      }
      lines.push(`d_sum{n="${i}"} ${i / 4}`, `d_count{n="${i}"} ${2 * i + shift}`, `g{n="${i}"} ${i}`)
    }
    return Buffer.from(`${lines.join('\n')}\n${end}`)
  }
  for (const [i, shift] of [0, 1].entries()) {
    const body = text(shift)
    expect(deferred.rows.read(body, 'text', true)).toBeUndefined()
    let turns = 0
    await deferred.rows.learn(body, 'text', () => ++turns < 0)
    expect(turns).toBeGreaterThanOrEqual(4)
    const counts = [deferred, direct].map(({ rows }) => rows.read(body, 'text'))
    expect(counts[0]).toEqual(counts[1])
    expect(counts[0]).toEqual({ samplesScraped: 3000, samplesKept: 3000, seriesAdded: i === 0 ? 3000 : 0 })
    for (const { rows } of [deferred, direct]) await rows.write(10_000 + i, REPORT)
    const states = [deferred, direct].map(({ store }) => [...store.groups[0]!.rows.at(-1)!.samples].sort())
    expect(states[0]).toEqual(states[1])
    expect(deferred.appendable.committed).toEqual(direct.appendable.committed)
    expect(deferred.appendable.histograms).toEqual(direct.appendable.histograms)
    expect(deferred.appendable.histograms).toHaveLength(1500 * (i + 1))
  }
  await expect(deferred.rows.learn(text(0, 'broken{'), 'text', () => false)).rejects.toThrow(/^line 9002: /)
  expect(deferred.rows.read(Buffer.from('a 1\n'), 'text', true)).toBeDefined()
})
