import type { Acknowledgement } from '../ack/acknowledgements.ts'
import { notifiedOf } from '../notify/notification-log.ts'
import type { Receipt } from '../notify/receipts/receipts.ts'
import { beatOf } from '../oncall/heartbeats.ts'
import type { Override } from '../oncall/overrides.ts'
import { silenceOf } from '../silence/silences.ts'
import type { AlertmanagerState } from '../state.ts'
import type { SharedState } from './cluster.ts'

const SILENCE = 'silence'
const NOTIFIED = 'notified'
const ACK = 'ack'
const OVERRIDE = 'on-call-override'
const HEARTBEAT = 'heartbeat'
const RECEIPT = 'receipt'

/**
 * Silences, what has been notified, acknowledgements, who takes over on call, signs of life: what keeps two instances from
 * telling the same twice, or different people. Receipts, so that either can say what became of a message.
 */
export const sharedState = (state: AlertmanagerState): SharedState => ({
  kinds: [SILENCE, NOTIFIED, ACK, OVERRIDE, HEARTBEAT, RECEIPT],
  *snapshot() {
    yield* state.silences.snapshot()
    yield* state.notificationLog.snapshot()
    for (const record of state.acknowledgements.snapshot()) if (record[0] === ACK) yield record
    yield* state.overrides.snapshot()
    yield* state.heartbeats.snapshot()
    yield* state.receipts.snapshot()
  },
  merge(record) {
    if (record[0] === SILENCE) state.silences.merge(silenceOf(record), state.log)
    else if (record[0] === NOTIFIED) state.notificationLog.merge(record[1] as string, notifiedOf(record), state.log)
    else if (record[0] === OVERRIDE) state.overrides.merge(record[1] as Override, state.log)
    else if (record[0] === HEARTBEAT) state.heartbeats.merge(...beatOf(record), state.log)
    else if (record[0] === RECEIPT) state.receipts.merge(record[1] as Receipt, state.log)
    else state.acknowledgements.put(record[1] as Acknowledgement, state.log)
  },
  commit: () => state.log.commit(),
})
