import type { Clock, Registry } from '../../lib/index.ts'
import { AckDesk } from '../ack/desk.ts'
import type { ReceiptRequest } from '../notify/receipts/receipt.ts'
import type { Receipt } from '../notify/receipts/receipts.ts'
import type { Runtime } from '../runtime.ts'
import type { AlertmanagerState } from '../state.ts'
import { OnCallRequestError } from './errors.ts'
import type { Escalation } from './escalations.ts'
import { stepOf } from './escalator.ts'
import type { FlappingView } from './flap-damper.ts'
import type { ExpectedHeartbeatView } from './heartbeat-monitor.ts'
import type { HeartbeatView } from './heartbeat-sender.ts'
import type { OnCall } from './on-call.ts'
import { createOnCallMetrics, type OnCallMetrics, registerOnCallFacts } from './metrics.ts'
import { Roster } from './roster.ts'

/** How far an escalation has come. */
export interface EscalationView {
  readonly groupKey: string
  readonly receiver: string
  readonly startedAtMs: number
  readonly round: number
  /** Receivers that steps have told. */
  readonly told: readonly string[]
  /** `undefined` = all steps are through. */
  readonly nextAtMs: number | undefined
  readonly nextReceiver: string | undefined
  /** Who has stopped it; `undefined` = nobody. */
  readonly acknowledgedBy: string | undefined
  /** Why the latest step reached nobody; '' = it did. */
  readonly lastError: string
}

/** The door for people and programs to what goes beyond the original: on-call, escalations, heartbeats, flapping, receipts. */
export class OnCallDesk {
  readonly acks: AckDesk
  readonly roster: Roster
  readonly metrics: OnCallMetrics
  readonly #state: AlertmanagerState
  readonly #clock: Clock
  readonly #ownApiUrl: string
  readonly #runtime: () => Runtime | undefined

  /**
   * @param options.ownApiUrl where `ownAlertsApi` is reached from outside
   * @param options.current the configuration in force; `undefined` = none is yet
   */
  constructor(options: {
    state: AlertmanagerState
    clock: Clock
    registry: Registry
    ownApiUrl: string
    current: () => Runtime | undefined
  }) {
    const { state, clock, registry, ownApiUrl, current } = options
    this.#state = state
    this.#clock = clock
    this.#ownApiUrl = ownApiUrl
    this.#runtime = current
    this.acks = new AckDesk(state, clock, {
      apiUrl: ownApiUrl,
      groupKeys: () => [...(current()?.dispatcher?.groups() ?? [])].map(({ key }) => key),
      onChange: (groupKey) => current()?.onCall.acknowledgementChanged(groupKey),
    })
    this.roster = new Roster({
      config: () => current()?.config.onCall,
      overrides: state.overrides,
      log: () => state.log,
      clock,
    })
    this.metrics = createOnCallMetrics(registry)
    registerOnCallFacts(registry, {
      escalationCount: () => state.escalations.all().filter(({ nextAtMs }) => nextAtMs !== undefined).length,
      flappingCount: () => state.flapping.all(clock.nowMs()).length,
      receiptCounts: () => state.receipts.counts(),
      expectedHeartbeats: () => current()?.onCall.monitor.views() ?? [],
      roster: this.roster,
      nowMs: () => clock.nowMs(),
    })
  }

  escalations(): EscalationView[] {
    return this.#state.escalations.all().map((escalation) => this.#view(escalation))
  }

  escalation(groupKey: string, receiver: string): EscalationView | undefined {
    const known = this.#state.escalations.get(groupKey, receiver)
    return known && this.#view(known)
  }

  /** Alerts that are held. */
  flapping(): FlappingView[] {
    return this.#state.flapping.all(this.#clock.nowMs())
  }

  /** Signs of life that are given to others. */
  heartbeats(): HeartbeatView[] {
    return this.#current().heartbeats.map((heartbeat) => heartbeat.view())
  }

  expectedHeartbeats(): ExpectedHeartbeatView[] {
    return this.#current().monitor.views()
  }

  /** A sign of life from elsewhere. Durable when it resolves. @throws {OnCallRequestError} @throws {StateLogError} */
  beat(name: string, token: string | undefined): Promise<void> {
    return this.#current().monitor.beat(name, token)
  }

  receipt(where: string, id: string): Receipt | undefined {
    return this.#state.receipts.get(where, id)
  }

  /** Where the provider of an integration (`receiver/sms/0`) tells what became of its messages. */
  receiptUrlOf(where: string): string {
    const proof = this.#state.acknowledgements.proofOf(subjectOf(where), this.#state.log)
    return `${this.#ownApiUrl}/alerting/receipts/${Buffer.from(where, 'utf8').toString('base64url')}/${proof}`
  }

  /** A provider's request. Durable when it resolves. @throws {OnCallRequestError} @throws {StateLogError} */
  async receiveReceipt(where: string, proof: string, request: Omit<ReceiptRequest, 'url'>): Promise<void> {
    if (!this.#state.acknowledgements.isProven(subjectOf(where), proof, this.#state.log))
      throw new OnCallRequestError('this address is not, or no longer, valid', 403)
    await this.#current().receipts.receive(where, { ...request, url: this.receiptUrlOf(where) })
  }

  /** Where the provider of an integration hands in what people reply. */
  replyUrlOf(where: string): string {
    const proof = this.#state.acknowledgements.proofOf(repliesOf(where), this.#state.log)
    return `${this.#ownApiUrl}/alerting/replies/${Buffer.from(where, 'utf8').toString('base64url')}/${proof}`
  }

  /**
   * A provider's request with somebody's reply; providers name its fields each in their way.
   *
   * @returns what to answer to whoever sent it @throws {OnCallRequestError} @throws {StateLogError}
   */
  async receiveReply(where: string, proof: string, request: Omit<ReceiptRequest, 'url'>): Promise<string> {
    if (!this.#state.acknowledgements.isProven(repliesOf(where), proof, this.#state.log))
      throw new OnCallRequestError('this address is not, or no longer, valid', 403)
    await this.#current().receipts.verify(where, { ...request, url: this.replyUrlOf(where) })
    const sender = fieldOf(request.fields, SENDER_FIELDS)
    const person = this.roster.personOf(sender)
    return this.acks.reply(fieldOf(request.fields, TEXT_FIELDS), person?.name ?? (sender || 'somebody by reply'))
  }

  #current(): OnCall {
    const runtime = this.#runtime()
    if (!runtime) throw new Error('alertmanager is not open')
    return runtime.onCall
  }

  #view({ groupKey, receiver, startedAtMs, round, step, nextAtMs, told, lastError }: Escalation): EscalationView {
    const policy = this.#current().policyOf(receiver)
    return {
      groupKey,
      receiver,
      startedAtMs,
      round,
      told,
      nextAtMs,
      lastError,
      nextReceiver: policy && nextAtMs !== undefined ? stepOf(policy, { receiver, step })?.receiver : undefined,
      acknowledgedBy: this.#state.acknowledgements.get(groupKey, this.#clock.nowMs())?.by,
    }
  }
}

const SENDER_FIELDS = ['From', 'msisdn', 'originator', 'phone', 'from', 'sender']
const TEXT_FIELDS = ['Body', 'text', 'body', 'mes', 'message', 'payload']

const fieldOf = (fields: URLSearchParams, names: readonly string[]): string =>
  names.map((name) => fields.get(name)).find((value) => value !== null) ?? ''

const repliesOf = (where: string): string => `replies to ${where}`

/** Not a group key: those begin with a brace. */
const subjectOf = (where: string): string => `receipts of ${where}`
