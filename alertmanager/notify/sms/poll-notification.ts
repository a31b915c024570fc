import { EMPTY_LABELS } from '../../../model/index.ts'
import type { Notification } from '../notifier.ts'

const PATIENCE_MS = 30_000

/** What a call that asks about messages carries in place of a notification: it belongs to none. */
export const pollNotification = (nowMs: number): Notification => ({
  receiver: '',
  groupKey: '',
  groupLabels: EMPTY_LABELS,
  routeLabels: EMPTY_LABELS,
  alerts: [],
  reason: 'first notification',
  externalUrl: '',
  deadlineMs: nowMs + PATIENCE_MS,
})
