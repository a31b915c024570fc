import type { Clock } from '../../lib/index.ts'
import type { Mailbox, ReceivedMessage } from './mailbox.ts'

const POLL_MS = 250

type Expectation = readonly [what: string, kind: ReceivedMessage['kind'], subject: RegExp]

/** In the order in which they come. */
const EXPECTED: readonly Expectation[] = [
  ['e-mail: firing', 'email', /FIRING.*CheckoutFails/s],
  ['SMS: firing', 'sms', /FIRING.*CheckoutFails/s],
  ['e-mail: resolved', 'email', /RESOLVED.*CheckoutFails/s],
]

/** Waits for the messages the demo is about, saying when each comes. @returns what is still missing at the deadline */
export async function waitForMessages(
  mailbox: Mailbox,
  options: { readonly clock: Clock; readonly timeoutMs: number; readonly stopped: () => boolean },
): Promise<string[]> {
  const { clock, timeoutMs, stopped } = options
  const startMs = clock.nowMs()
  let missing = EXPECTED
  for (;;) {
    const [arrived, open] = [
      missing.filter((one) => hasArrived(mailbox, one)),
      missing.filter((one) => !hasArrived(mailbox, one)),
    ]
    for (const [what] of arrived) console.log(`${what} after ${Math.round((clock.nowMs() - startMs) / 1000)} s`)
    missing = open
    if (missing.length === 0 || stopped() || clock.nowMs() - startMs > timeoutMs) return missing.map(([what]) => what)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

const hasArrived = (mailbox: Mailbox, [, kind, subject]: Expectation): boolean =>
  mailbox.messages.some((message) => message.kind === kind && subject.test(message.subject))
