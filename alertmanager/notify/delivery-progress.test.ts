import { expect, test } from 'vitest'
import type { StateRecord } from '../store/frame.ts'
import type { StateLog } from '../store/state-log.ts'
import { PendingDeliveries } from './delivery-progress.ts'

const KEY = '{}:{alertname="Down"}:hook/webhook/0'

/** What a life writes, and the next one reads. */
class Lives implements StateLog {
  pending = new PendingDeliveries()
  #records: StateRecord[] = []

  write(record: StateRecord): void {
    this.#records.push(record)
  }
  commit = async (): Promise<void> => {}
  close = async (): Promise<void> => {}

  next(): void {
    this.pending = new PendingDeliveries()
    for (const record of this.#records) this.pending.apply(record)
  }

  told(recordedAtMs?: number): string[] {
    return [...this.pending.perhapsTold(KEY, recordedAtMs)]
  }
}

test('what was begun and has no end may have been told, unless the log knows more', () => {
  const lives = new Lives()
  lives.pending.begin(KEY, { contentId: 'a', firing: ['f1'] }, 1000, lives)
  lives.next()
  expect(lives.told()).toEqual(['f1'])
  expect(lives.told(999)).toEqual(['f1'])
  // Another instance has told since.
  expect(lives.told(1000)).toEqual([])
  lives.pending.clear(KEY, lives)
  lives.next()
  expect(lives.told()).toEqual([])
})

test('a failure takes back what it began, not what was begun before it', () => {
  const lives = new Lives()
  lives.pending.begin(KEY, { contentId: 'a', firing: ['f1'] }, 1000, lives).failed()
  expect(lives.told()).toEqual([])
  lives.pending.begin(KEY, { contentId: 'b', firing: ['f1'] }, 2000, lives)
  lives.next()
  const again = lives.pending.begin(KEY, { contentId: 'c', firing: ['f1', 'f2'] }, 3000, lives)
  expect(lives.told()).toEqual(['f1', 'f2'])
  again.failed()
  lives.next()
  expect(lives.told()).toEqual(['f1'])
})

test('who has it is not served again, for the same content only', async () => {
  const lives = new Lives()
  const first = lives.pending.begin(KEY, { contentId: 'a', firing: ['f1'] }, 1000, lives)
  await first.done('anna')
  first.failed()
  lives.next()
  expect(lives.told()).toEqual(['f1'])
  expect(lives.pending.begin(KEY, { contentId: 'a', firing: ['f1'] }, 2000, lives).isDone('anna')).toBe(true)
  expect(lives.pending.begin(KEY, { contentId: 'b', firing: ['f1'] }, 3000, lives).isDone('anna')).toBe(false)
})

test('what never came to an end is forgotten in time', () => {
  const lives = new Lives()
  lives.pending.begin(KEY, { contentId: 'a', firing: ['f1'] }, 1000, lives)
  lives.pending.collectGarbage(1000, lives)
  expect(lives.told()).toEqual(['f1'])
  lives.pending.collectGarbage(1001, lives)
  lives.next()
  expect(lives.told()).toEqual([])
})
