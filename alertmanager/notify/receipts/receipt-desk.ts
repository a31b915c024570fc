import { type Clock, errorMessage, type Logger } from '../../../lib/index.ts'
import { OnCallRequestError } from '../../oncall/errors.ts'
import type { AlertmanagerState } from '../../state.ts'
import { DeliveryError, type Integration, type SentMessage } from '../notifier.ts'
import type { ReceiptReport, ReceiptRequest } from './receipt.ts'
import type { Receipt } from './receipts.ts'

export interface ReceiptDeskOptions {
  readonly state: AlertmanagerState
  readonly integrations: () => readonly Integration[]
  readonly clock: Clock
  readonly logger: Logger
  /** A message has arrived, or will not. */
  readonly onSettled: (receipt: Receipt) => void
}

const POLL_INTERVAL_MS = 30_000
/** What has been under way for long is asked about less often. */
const POLL_SHARE_OF_AGE = 0.1

export const whereOf = ({ receiver, name, index }: Integration): string => `${receiver}/${name}/${index}`

/** Hears from providers, or asks them, what became of messages that they have taken. */
export class ReceiptDesk {
  readonly #options: ReceiptDeskOptions
  readonly #polledAtMs = new Map<string, number>()
  #cancel: () => void = () => {}
  #isStopped = false

  constructor(options: ReceiptDeskOptions) {
    this.#options = options
  }

  start(): void {
    this.#cancel = this.#options.clock.schedule(POLL_INTERVAL_MS, () => {
      void this.#poll().finally(() => {
        if (!this.#isStopped) this.start()
      })
    })
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }

  /** A message was taken; the caller commits. */
  expect(target: Integration, groupKey: string, { id, recipient }: SentMessage): void {
    const { state, clock } = this.#options
    const where = whereOf(target)
    const facts = { where, id, recipient, receiver: target.receiver, groupKey, sentAtMs: clock.nowMs() }
    const early = state.receipts.expect(facts, state.log)
    if (early) this.#report(where, early)
  }

  /** The provider's request. Durable when it resolves. @throws {OnCallRequestError} when it is none of a provider */
  async receive(where: string, request: ReceiptRequest): Promise<void> {
    const target = this.#options.integrations().find((one) => whereOf(one) === where)
    const read = target?.notifier.receipts?.read
    if (!read) throw new OnCallRequestError('no such integration awaits receipts', 404)
    const reports = await read(request).catch(asRefusal)
    for (const report of reports) this.#report(where, report)
    await this.#options.state.log.commit()
  }

  /** Lets pass what is from the provider, and everything where that cannot be told. @throws {OnCallRequestError} */
  async verify(where: string, request: ReceiptRequest): Promise<void> {
    const target = this.#options.integrations().find((one) => whereOf(one) === where)
    if (!target) throw new OnCallRequestError('there is no such integration', 404)
    await target.notifier.receipts?.verify?.(request).catch(asRefusal)
  }

  /** From a connection that the notifier itself keeps. */
  take(where: string, report: ReceiptReport): void {
    this.#report(where, report)
    this.#options.state.log
      .commit()
      .catch((err: unknown) => this.#options.logger.error({ err }, 'Receipt could not be kept'))
  }

  #report(where: string, report: ReceiptReport): void {
    const { state, clock, logger, onSettled } = this.#options
    const settled = state.receipts.report(where, report, clock.nowMs(), state.log)
    if (!settled) return
    const { recipient, groupKey, outcome, detail } = settled
    if (outcome === 'undelivered') logger.error({ where, recipient, groupKey, detail }, 'Message was not delivered')
    onSettled(settled)
  }

  async #poll(): Promise<void> {
    const { state, integrations, clock, logger } = this.#options
    const nowMs = clock.nowMs()
    const pending = state.receipts.pending(nowMs)
    // Also what has become unknown without a report.
    const open = new Set(pending.map(pollKey))
    for (const key of this.#polledAtMs.keys()) if (!open.has(key)) this.#polledAtMs.delete(key)
    if (pending.length === 0) return
    for (const target of integrations()) {
      const where = whereOf(target)
      const source = target.notifier.receipts
      const due = pending.filter((receipt) => receipt.where === where && this.#isDue(receipt, nowMs))
      if (!source?.poll || due.length === 0) continue
      for (const receipt of due) this.#polledAtMs.set(pollKey(receipt), nowMs)
      try {
        for (const report of await source.poll(due)) this.#report(where, report)
      } catch (error) {
        logger.warn({ where, why: errorMessage(error) }, 'The provider does not say what became of messages')
      }
    }
    await state.log.commit().catch((err: unknown) => logger.error({ err }, 'Receipt could not be kept'))
  }

  #isDue(receipt: Receipt, nowMs: number): boolean {
    const polledAtMs = this.#polledAtMs.get(pollKey(receipt)) ?? 0
    return nowMs - polledAtMs >= Math.max(POLL_INTERVAL_MS, (nowMs - receipt.sentAtMs) * POLL_SHARE_OF_AGE)
  }
}

const pollKey = ({ where, id }: Receipt): string => `${where}:${id}`

function asRefusal(error: unknown): never {
  throw error instanceof DeliveryError ? new OnCallRequestError(error.message, 403) : error
}
