import { compareStrings } from '../../../model/index.ts'
import type { StateRecord } from '../../store/frame.ts'
import type { StateLog, StatePart } from '../../store/state-log.ts'
import type { ReceiptReport } from './receipt.ts'

/** A message that a provider has taken, and what became of it. */
export interface Receipt {
  /** `receiver/sms/0`. */
  readonly where: string
  readonly id: string
  readonly recipient: string
  readonly receiver: string
  readonly groupKey: string
  readonly sentAtMs: number
  /** `unknown` = the provider has not said in time. */
  readonly outcome: 'pending' | 'delivered' | 'undelivered' | 'unknown'
  readonly detail: string
  /** Of the latest news. */
  readonly atMs: number
}

const PUT = 'receipt'
const GONE = 'receipt-gone'
const EARLY_MAX = 1000
const DAY_MS = 86_400_000
/** As long as one may still ask what became of it. */
const KEPT_MS = 7 * DAY_MS
const PATIENCE_MS = DAY_MS
/** After this long nobody else is expected to say what became of a message that another instance has sent. */
const OTHERS_PATIENCE_MS = 600_000
/** What says more about the end replaces what says less. */
const RANK: Readonly<Record<Receipt['outcome'], number>> = { pending: 0, unknown: 1, undelivered: 2, delivered: 3 }

const keyOf = (where: string, id: string): string => `${where}:${id}`

/** Messages on their way and lately arrived, by integration and the provider's id. */
export class Receipts implements StatePart {
  readonly kinds = [PUT, GONE]
  readonly #byKey = new Map<string, Receipt>()
  /** Providers may be quicker than our own record of what they took. */
  readonly #early = new Map<string, ReceiptReport>()
  /** Keys of messages that another instance has sent. */
  readonly #others = new Set<string>()

  get(where: string, id: string): Receipt | undefined {
    return this.#byKey.get(keyOf(where, id))
  }

  /** What is to be asked about; messages of another instance only when that has been silent for long. */
  pending(nowMs: number): Receipt[] {
    return [...this.#byKey.values()].filter(
      ({ outcome, where, id, sentAtMs }) =>
        outcome === 'pending' && (!this.#others.has(keyOf(where, id)) || sentAtMs + OTHERS_PATIENCE_MS <= nowMs),
    )
  }

  /** What became of the messages of one group through one integration, latest last. */
  of(where: string, groupKey: string): Receipt[] {
    return [...this.#byKey.values()].filter((receipt) => receipt.where === where && receipt.groupKey === groupKey)
  }

  counts(): Map<Receipt['outcome'], number> {
    const counts = new Map<Receipt['outcome'], number>()
    for (const { outcome } of this.#byKey.values()) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
    return counts
  }

  /** A provider has taken a message. Returns a report on it that came before. The caller commits. */
  expect(receipt: Omit<Receipt, 'outcome' | 'detail' | 'atMs'>, log: StateLog): ReceiptReport | undefined {
    this.#put({ ...receipt, outcome: 'pending', detail: '', atMs: receipt.sentAtMs }, log)
    const key = keyOf(receipt.where, receipt.id)
    const early = this.#early.get(key)
    this.#early.delete(key)
    return early
  }

  /** Returns the message if this settles it. The caller commits. */
  report(where: string, report: ReceiptReport, atMs: number, log: StateLog): Receipt | undefined {
    const known = this.get(where, report.id)
    if (!known) {
      if (this.#early.size < EARLY_MAX) this.#early.set(keyOf(where, report.id), report)
      return undefined
    }
    // Reports overtake each other; what has arrived does not become undelivered, nor underway again.
    if (known.outcome === 'delivered' || known.outcome === report.outcome) return undefined
    if (report.outcome === 'underway') {
      if (known.outcome === 'pending' && known.detail !== report.detail)
        this.#put({ ...known, detail: report.detail, atMs }, log)
      return undefined
    }
    const settled: Receipt = { ...known, outcome: report.outcome, detail: report.detail, atMs }
    this.#put(settled, log)
    return settled
  }

  /** Takes what another instance knows, unless ours says as much. The caller commits. */
  merge(receipt: Receipt, log: StateLog): void {
    const key = keyOf(receipt.where, receipt.id)
    const known = this.#byKey.get(key)
    if (known && compareNews(receipt, known) <= 0) return
    if (!known) this.#others.add(key)
    this.#put(receipt, log)
    const early = this.#early.get(key)
    this.#early.delete(key)
    if (early) this.report(receipt.where, early, receipt.atMs, log)
  }

  /** The caller commits. */
  collectGarbage(nowMs: number, log: StateLog): void {
    for (const [key, receipt] of this.#byKey) {
      if (receipt.outcome === 'pending' && receipt.sentAtMs + PATIENCE_MS <= nowMs)
        this.#put({ ...receipt, outcome: 'unknown', atMs: nowMs }, log)
      if (receipt.sentAtMs + KEPT_MS > nowMs) continue
      this.#byKey.delete(key)
      this.#others.delete(key)
      log.write([GONE, key])
    }
    this.#early.clear()
  }

  apply(record: StateRecord): void {
    const [kind, value] = record
    if (kind === GONE) this.#byKey.delete(value as string)
    else {
      const receipt = value as Receipt
      this.#byKey.set(keyOf(receipt.where, receipt.id), receipt)
    }
  }

  *snapshot(): Iterable<StateRecord> {
    for (const receipt of this.#byKey.values()) yield [PUT, receipt]
  }

  #put(receipt: Receipt, log: StateLog): void {
    this.#byKey.set(keyOf(receipt.where, receipt.id), receipt)
    log.write([PUT, receipt])
  }
}

/** Both instances come to the same end, whoever hears what first. */
const compareNews = (a: Receipt, b: Receipt): number =>
  RANK[a.outcome] - RANK[b.outcome] || a.atMs - b.atMs || compareStrings(a.detail, b.detail)
