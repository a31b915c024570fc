import type { Pdu, Session } from 'smpp'
import type { ReceiptReport } from '../receipts/receipt.ts'

const RECEIPT_TYPE_MASK = 0x3c
const RECEIPT = 0x04
const ENQUIRE_INTERVAL_MS = 30_000
const PATIENCE_MS = 10 * 60_000
/** `message_state` of the optional field. */
const STATES: Readonly<Record<number, string>> = {
  1: 'ENROUTE',
  2: 'DELIVRD',
  3: 'EXPIRED',
  4: 'DELETED',
  5: 'UNDELIV',
  6: 'ACCEPTD',
  7: 'UNKNOWN',
  8: 'REJECTD',
}
const FAILED = new Set(['EXPIRED', 'DELETED', 'UNDELIV', 'REJECTD'])

/**
 * Hears the receipts that a message centre delivers over a session, also those of messages from earlier sessions: what it
 * could not deliver then it delivers with the next one.
 */
export class SmppReceipts {
  readonly #session: Session
  readonly #settled = new Set<string>()
  #check: () => void = () => {}

  constructor(session: Session, onReceipt: (report: ReceiptReport) => void) {
    this.#session = session
    session.on('pdu', (pdu: Pdu) => {
      if (pdu.command === 'enquire_link') session.send(pdu.response())
      if (pdu.command !== 'deliver_sm') return
      session.send(pdu.response())
      const report = reportOf(pdu)
      if (!report) return
      onReceipt(report)
      if (report.outcome !== 'underway') this.#settled.add(report.id)
      this.#check()
    })
  }

  /** Resolves when all have settled, the session is gone, or patience is. */
  settled(ids: readonly string[]): Promise<void> {
    const { socket } = this.#session
    // From here on silence is what is to be expected.
    socket.setTimeout(0)
    return new Promise((resolve) => {
      const enquire = setInterval(() => this.#session.enquire_link({}), ENQUIRE_INTERVAL_MS)
      const patience = setTimeout(() => finish(), PATIENCE_MS)
      enquire.unref()
      patience.unref()
      const finish = (): void => {
        clearInterval(enquire)
        clearTimeout(patience)
        resolve()
      }
      this.#session.on('close', finish)
      this.#check = () => {
        if (ids.every((id) => this.#settled.has(id))) finish()
      }
      this.#check()
    })
  }
}

/** The fields of their own go before the text, whose form is a custom rather than a rule. */
function reportOf(pdu: Pdu): ReceiptReport | undefined {
  if ((Number(pdu['esm_class']) & RECEIPT_TYPE_MASK) !== RECEIPT) return undefined
  const text = textOf(pdu['short_message'])
  const id = textOf(pdu['receipted_message_id']) || (/\bid:(\S+)/i.exec(text)?.[1] ?? '')
  const state = STATES[Number(pdu['message_state'])] ?? /\bstat:(\w+)/i.exec(text)?.[1]?.toUpperCase() ?? ''
  const error = /\berr:(\w+)/i.exec(text)?.[1] ?? ''
  if (id === '' || state === '') return undefined
  const outcome = state === 'DELIVRD' ? 'delivered' : FAILED.has(state) ? 'undelivered' : 'underway'
  return { id, outcome, detail: /^0*$/.test(error) ? state : `${state}, error ${error}` }
}

/** The package hands out texts, bytes, or a text beside its header. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (Buffer.isBuffer(value)) return value.toString('latin1').replace(/\0+$/, '')
  const { message } = (value ?? {}) as { message?: unknown }
  return message === undefined ? '' : textOf(message)
}
