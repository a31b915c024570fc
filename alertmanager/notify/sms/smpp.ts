import { randomInt } from 'node:crypto'
import type { Pdu, Session } from 'smpp'
import { errorMessage } from '../../../lib/index.ts'
import type { SmsSettings } from '../../config/types.ts'
import { tlsOptions } from '../tls-options.ts'
import { DeliveryError, type FailureReason } from '../notifier.ts'
import type { ReceiptReport, ReceiptSource } from '../receipts/receipt.ts'
import { secretValue } from '../service.ts'
import type { SmsGateway, SmsMessage } from './gateway.ts'
import { smsParts } from './segments.ts'
import { SmppReceipts } from './smpp-receipts.ts'

type Settings = SmsSettings<'smpp'>

const PORT_DEFAULT = 2775
const TLS_PORT_DEFAULT = 3550
const INTERFACE_VERSION = 0x34
const UDH_INDICATOR = 0x40
const DATA_CODING = { 'GSM-7': 0, 'UCS-2': 8 } as const
const TON = { unknown: 0, international: 1, alphanumeric: 5 } as const
const NPI = { unknown: 0, isdn: 1 } as const

/** Statuses that pass: system error, queue full, throttled, temporary application error, submit failed. */
const PASSING = new Set([0x08, 0x14, 0x58, 0x64, 0x45])
const REASONS: Readonly<Record<number, FailureReason>> = {
  0x05: 'rateLimited',
  0x08: 'serverError',
  0x0d: 'authError',
  0x0e: 'authError',
  0x0f: 'authError',
  0x14: 'rateLimited',
  0x58: 'rateLimited',
}
const NAMES: Readonly<Record<number, string>> = {
  0x08: 'system error',
  0x0a: 'invalid source address',
  0x0b: 'invalid destination address',
  0x0d: 'bind failed',
  0x0e: 'invalid password',
  0x0f: 'invalid system id',
  0x14: 'queue full',
  0x45: 'submit failed',
  0x58: 'throttled',
}

/** SMPP 3.4 to a provider's message centre: one session for each message, long texts in parts. */
export class SmppGateway implements SmsGateway {
  readonly charsMax = 1600
  readonly receipts: ReceiptSource = {}
  readonly #settings: Settings
  readonly #open = new Set<Session>()
  readonly #onReceipt: ((report: ReceiptReport) => void) | undefined

  /** @param onReceipt hears what becomes of messages; a session then stays open until all of its own have settled */
  constructor(settings: Settings, onReceipt?: (report: ReceiptReport) => void) {
    this.#settings = settings
    this.#onReceipt = onReceipt
  }

  async send(message: SmsMessage): Promise<string> {
    const session = await this.#connect(message.timeoutMs)
    const waiting = this.#onReceipt && new SmppReceipts(session, this.#onReceipt)
    let isWaiting = false
    try {
      return await withFailures(session, message.timeoutMs, async (call) => {
        const { system_id, system_type } = this.#settings
        const password = await secretValue(this.#settings, 'password')
        const fields = { system_id, password, system_type: system_type ?? '', interface_version: INTERFACE_VERSION }
        await call('bind_transceiver', fields)
        const ids: string[] = []
        for (const part of this.#parts(message)) ids.push(String((await call('submit_sm', part)).message_id))
        isWaiting = waiting !== undefined
        if (!isWaiting) session.unbind({})
        void waiting?.settled(ids).then(() => this.#end(session, true))
        return ids.join('+')
      })
    } finally {
      if (!isWaiting) this.#end(session, false)
    }
  }

  async close(): Promise<void> {
    const sessions = [...this.#open]
    this.#open.clear()
    for (const session of sessions) session.destroy()
  }

  #end(session: Session, isBound: boolean): void {
    if (!this.#open.delete(session)) return
    if (isBound) session.unbind({})
    session.close()
    // A message centre that does not close its side must not keep ours.
    session.socket.destroySoon()
  }

  async #connect(timeoutMs: number): Promise<Session> {
    // Loaded with the first message: most processes never send one.
    const { default: smpp } = await import('smpp')
    const { host, port, tls = false, tls_config } = this.#settings
    const session = smpp.connect({
      host,
      port: port ?? (tls ? TLS_PORT_DEFAULT : PORT_DEFAULT),
      tls,
      ...(tls && { servername: tls_config?.server_name ?? host, ...(tls_config && (await tlsOptions(tls_config))) }),
    })
    session.socket.setTimeout(timeoutMs)
    this.#open.add(session)
    return session
  }

  #parts({ to, text }: SmsMessage): Record<string, unknown>[] {
    const { from, source_ton, source_npi, destination_ton, destination_npi } = this.#settings
    const { encoding, parts } = smsParts(text)
    const isName = from !== undefined && !/^\+?\d+$/.test(from)
    const reference = randomInt(256)
    return parts.map((bytes, i) => ({
      source_addr_ton: source_ton ?? (isName ? TON.alphanumeric : from ? TON.international : TON.unknown),
      source_addr_npi: source_npi ?? (isName || !from ? NPI.unknown : NPI.isdn),
      source_addr: (from ?? '').replace(/^\+/, ''),
      dest_addr_ton: destination_ton ?? TON.international,
      dest_addr_npi: destination_npi ?? NPI.isdn,
      destination_addr: to.replace(/^\+/, ''),
      data_coding: DATA_CODING[encoding],
      registered_delivery: 1,
      esm_class: parts.length > 1 ? UDH_INDICATOR : 0,
      short_message:
        parts.length > 1 ? Buffer.concat([Buffer.from([5, 0, 3, reference, parts.length, i + 1]), bytes]) : bytes,
    }))
  }
}

type Call = (command: 'bind_transceiver' | 'submit_sm', fields: Record<string, unknown>) => Promise<Pdu>

/** Runs an exchange; a lost connection or too long a silence ends it wherever it is. */
async function withFailures<T>(session: Session, timeoutMs: number, run: (call: Call) => Promise<T>): Promise<T> {
  let fail: (error: DeliveryError) => void = () => {}
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject
  })
  // Whoever loses the race is not waited for.
  failed.catch(() => {})
  const lost = (why: string, reason: FailureReason): void => fail(new DeliveryError(why, { reason, retryable: true }))
  session.on('error', (error: unknown) => lost(`message centre: ${errorMessage(error)}`, 'other'))
  session.on('close', () => lost('the message centre closed the connection', 'other'))
  session.socket.on('timeout', () =>
    lost(`the message centre said nothing for ${timeoutMs / 1000} s`, 'contextDeadlineExceeded'),
  )
  const call: Call = (command, fields) =>
    new Promise((resolve, reject) => {
      const sent = session[command](fields, (pdu) => {
        if (pdu.command_status === 0) resolve(pdu)
        else reject(refusal(command, pdu.command_status))
      })
      if (!sent) reject(new DeliveryError('the connection is closed', { reason: 'other', retryable: true }))
    })
  return Promise.race([run(call), failed])
}

function refusal(command: string, status: number): DeliveryError {
  const name = NAMES[status] === undefined ? '' : ` (${NAMES[status]})`
  return new DeliveryError(`${command} refused with status 0x${status.toString(16).padStart(2, '0')}${name}`, {
    reason: REASONS[status] ?? 'clientError',
    retryable: PASSING.has(status),
  })
}
