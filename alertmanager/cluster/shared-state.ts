import type { Acknowledgement } from '../ack/acknowledgements.ts'
import { notifiedOf } from '../notify/notification-log.ts'
import { silenceOf } from '../silence/silences.ts'
import type { AlertmanagerState } from '../state.ts'
import type { SharedState } from './cluster.ts'

const SILENCE = 'silence'
const NOTIFIED = 'notified'
const ACK = 'ack'

/** Silences, what has been notified, acknowledgements: what keeps two instances from telling the same twice. */
export const sharedState = (state: AlertmanagerState): SharedState => ({
  kinds: [SILENCE, NOTIFIED, ACK],
  *snapshot() {
    yield* state.silences.snapshot()
    yield* state.notificationLog.snapshot()
    for (const record of state.acknowledgements.snapshot()) if (record[0] === ACK) yield record
  },
  merge(record) {
    if (record[0] === SILENCE) state.silences.merge(silenceOf(record), state.log)
    else if (record[0] === NOTIFIED) state.notificationLog.merge(record[1] as string, notifiedOf(record), state.log)
    else state.acknowledgements.put(record[1] as Acknowledgement, state.log)
  },
  commit: () => state.log.commit(),
})
