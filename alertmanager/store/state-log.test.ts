import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { silentLogger } from '../../lib/log.ts'
import { decodeLog, encodeFrame, type StateRecord } from './frame.ts'
import { openStateLog, type StatePart } from './state-log.ts'

/** A map whose every change is a record. */
class MapPart implements StatePart {
  readonly kinds = ['set']
  readonly values = new Map<string, unknown>()

  apply([, key, value]: StateRecord): void {
    this.values.set(key as string, value)
  }

  *snapshot(): Iterable<StateRecord> {
    for (const [key, value] of this.values) yield ['set', key, value]
  }

  set(key: string, value: unknown): StateRecord {
    this.values.set(key, value)
    return ['set', key, value]
  }
}

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'alert-state-'))
})
afterEach(() => rm(dir, { recursive: true }))

async function reopened(): Promise<Map<string, unknown>> {
  const part = new MapPart()
  const log = await openStateLog(dir, [part], silentLogger)
  await log.close()
  return part.values
}

test('cut anywhere, a log reads back to a prefix of what was written', () => {
  const records = Array.from({ length: 20 }, (_, i): StateRecord => ['set', `key ${i}`, { i, text: 'é'.repeat(i) }])
  const bytes = Buffer.concat(records.map(encodeFrame))
  let seen = 0
  for (let cut = 0; cut <= bytes.length; cut++) {
    const decoded = decodeLog(bytes.subarray(0, cut))
    expect(decoded.records).toEqual(records.slice(0, decoded.records.length))
    expect(decoded.records.length).toBeGreaterThanOrEqual(seen)
    expect(decoded.damagedCount).toBe(0)
    seen = decoded.records.length
  }
  expect(seen).toBe(records.length)
})

test('a flipped byte costs the record it is in, and no other', () => {
  const records = Array.from({ length: 5 }, (_, i): StateRecord => ['set', `key ${i}`, i])
  const frames = records.map(encodeFrame)
  const bytes = Buffer.concat(frames)
  for (let at = 0; at < bytes.length - frames[4]!.length; at++) {
    const damaged = Buffer.from(bytes)
    damaged[at]! ^= 0xff
    const decoded = decodeLog(damaged)
    expect(decoded.records).toHaveLength(4)
    expect(decoded.damagedCount).toBe(1)
  }
})

test('what was committed is there again; a torn tail is cut and written over', async () => {
  const part = new MapPart()
  const log = await openStateLog(dir, [part], silentLogger)
  for (let i = 0; i < 100; i++) log.write(part.set(`key ${i % 10}`, i))
  await log.commit()
  const [name] = await readdir(dir)
  const path = join(dir, name!)
  const before = await stat(path)
  await appendFile(path, encodeFrame(['set', 'torn', 1]).subarray(0, -1))
  const again = new MapPart()
  const second = await openStateLog(dir, [again], silentLogger)
  expect(again.values).toEqual(part.values)
  expect((await stat(path)).size).toBe(before.size)
  second.write(again.set('after', true))
  await second.close()
  expect((await reopened()).get('after')).toBe(true)
  await log.close()
})

test('a log that has grown begins anew with the state, and loses nothing that is written meanwhile', async () => {
  const part = new MapPart()
  const log = await openStateLog(dir, [part], silentLogger)
  const commits: Promise<void>[] = []
  const filler = 'x'.repeat(10_000)
  for (let i = 0; i < 1000; i++) {
    log.write(part.set(`key ${i % 50}`, `${i} ${filler}`))
    if (i % 10 === 0) commits.push(log.commit())
    if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(commits)
  for (let i = 0; i < 500; i++) {
    log.write(part.set(`late ${i}`, i))
    if (i % 25 === 0) await log.commit()
  }
  await log.close()
  const names = await readdir(dir)
  expect(names).toHaveLength(1)
  expect(names[0]).not.toBe('state-00000001.log')
  expect((await readFile(join(dir, names[0]!))).length).toBeLessThan(5_000_000)
  expect(await reopened()).toEqual(part.values)
})

test('much is written before anybody commits', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  try {
    const part = new MapPart()
    const log = await openStateLog(dir, [part], silentLogger)
    for (let i = 0; i < 300; i++) log.write(part.set(`key ${i}`, 'x'.repeat(10_000)))
    const path = join(dir, 'state-00000001.log')
    while ((await stat(path)).size < 2_000_000) await new Promise((resolve) => setImmediate(resolve))
    await log.close()
    expect(await reopened()).toEqual(part.values)
  } finally {
    vi.useRealTimers()
  }
})

test('who commits while the next log is being made does not wait for the end of it', async () => {
  const seen: string[] = []
  const filler = 'x'.repeat(10_000)
  let commit = Promise.resolve()
  const part: StatePart = {
    kinds: ['set'],
    apply() {},
    *snapshot() {
      log.write(['set', 'late', 1])
      commit = log.commit().then(() => void seen.push('committed'))
      for (let i = 0; i < 500; i++) yield ['set', `key ${i}`, filler]
      seen.push('snapshot ends')
    },
  }
  const log = await openStateLog(dir, [part], silentLogger)
  for (let i = 0; i < 400; i++) log.write(['set', `key ${i}`, filler])
  await log.commit()
  await log.close()
  await commit
  expect(seen).toEqual(['committed', 'snapshot ends'])
  expect((await reopened()).get('late')).toBe(1)
})

test('every commit is served, however soon it follows the last', async () => {
  const part = new MapPart()
  const log = await openStateLog(dir, [part], silentLogger)
  for (let hops = 0; hops < 20; hops++) {
    let last = log.commit()
    for (let i = 0; i < 5; i++) {
      log.write(part.set(`key ${hops} ${i}`, i))
      last = log.commit()
      // The next call comes this many microtasks after the answer.
      for (let hop = 0; hop < hops; hop++) last = last.then(() => {})
      await last
    }
  }
  await log.close()
  expect(await reopened()).toEqual(part.values)
})

test('leftovers of a crash while the next log was made do no harm', async () => {
  const part = new MapPart()
  const log = await openStateLog(dir, [part], silentLogger)
  log.write(part.set('a', 1))
  await log.close()
  await writeFile(join(dir, 'state-00000002.log.tmp'), 'half')
  expect(await reopened()).toEqual(new Map([['a', 1]]))
  await writeFile(join(dir, 'state-00000002.log'), encodeFrame(['set', 'a', 2]))
  expect(await reopened()).toEqual(new Map([['a', 2]]))
  expect(await readdir(dir)).toEqual(['state-00000002.log'])
})

test('the example of the format page is read as it says', async () => {
  const page = await readFile(join(import.meta.dirname, '../../docs/formats/alert-state-log.md'), 'utf8')
  const hex = /```hex\n([0-9a-f\s]+)```/.exec(page)![1]!.replace(/\s/g, '')
  const record: StateRecord = ['silence-gone', 'b0f1']
  expect(decodeLog(Buffer.from(hex, 'hex')).records).toEqual([record])
  expect(encodeFrame(record).toString('hex')).toBe(hex)
})
