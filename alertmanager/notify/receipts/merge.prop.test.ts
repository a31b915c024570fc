import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { StateLog } from '../../store/state-log.ts'
import { type Receipt, Receipts } from './receipts.ts'

const WHERE = 'page/sms/0'
const MINUTE_MS = 60_000

/** One instance; what it writes goes to the others when they meet. */
class Instance {
  readonly receipts = new Receipts()
  readonly unsent: Receipt[] = []
  readonly log: StateLog = {
    write: ([kind, value]) => void (kind === 'receipt' && this.unsent.push(value as Receipt)),
    commit: async () => {},
    close: async () => {},
  }

  tell(other: Instance): void {
    for (const receipt of this.unsent.splice(0)) other.receipts.merge(receipt, other.log)
  }

  known(): unknown {
    return [...this.receipts.snapshot()]
      .map(([, receipt]) => receipt)
      .sort((a, b) => compareIds(a as Receipt, b as Receipt))
  }
}

const compareIds = (a: Receipt, b: Receipt): number => a.id.localeCompare(b.id)

const sent = (id: string, sentAtMs: number) => ({
  where: WHERE,
  id,
  recipient: '+1',
  receiver: 'page',
  groupKey: 'g',
  sentAtMs,
})

const step = fc.oneof(
  fc.record({ kind: fc.constant('sent' as const), id: fc.nat(3) }),
  fc.record({
    kind: fc.constant('report' as const),
    by: fc.nat(1),
    id: fc.nat(3),
    outcome: fc.constantFrom('underway' as const, 'delivered' as const, 'undelivered' as const),
    detail: fc.constantFrom('x', 'y'),
  }),
  fc.record({ kind: fc.constant('meet' as const) }),
)

test('whoever hears what, in any order: when they have met, two instances know the same', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const [a, b] = [new Instance(), new Instance()]
      const meet = (): void => {
        // Each passes on what it took, and that ends.
        for (let i = 0; i < 4; i++) {
          a.tell(b)
          b.tell(a)
        }
        expect([a.unsent, b.unsent]).toEqual([[], []])
      }
      const isSent = new Set<number>()
      steps.forEach((one, atMs) => {
        if (one.kind === 'meet') meet()
        else if (one.kind === 'report') {
          const { outcome, detail } = one
          const { receipts, log } = one.by === 0 ? a : b
          receipts.report(WHERE, { id: `m${one.id}`, outcome, detail }, atMs, log)
        } else if (!isSent.has(one.id)) {
          isSent.add(one.id)
          // Even messages are sent by one, odd ones by the other.
          const { receipts, log } = one.id % 2 === 0 ? a : b
          const early = receipts.expect(sent(`m${one.id}`, atMs), log)
          if (early) receipts.report(WHERE, early, atMs, log)
        }
      })
      meet()
      expect(a.known()).toEqual(b.known())
    }),
    { numRuns: 300 },
  )
})

test('the other asks the provider only when the sender has been silent for long', () => {
  const [a, b] = [new Instance(), new Instance()]
  a.receipts.expect(sent('m', 0), a.log)
  a.tell(b)
  expect(a.receipts.pending(MINUTE_MS)).toHaveLength(1)
  expect(b.receipts.pending(MINUTE_MS)).toEqual([])
  expect(b.receipts.pending(11 * MINUTE_MS)).toHaveLength(1)
})
