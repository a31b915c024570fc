import { EMPTY_LABELS, type Labels, labelsFromEntries } from '../../model/index.ts'
import {
  type GoStruct,
  type NotificationAlert,
  type NotificationInput,
  notificationData,
} from '../../template/index.ts'
import type { Notification, NotifiedAlert } from './notifier.ts'

/** A notification as templates and webhook bodies show it. */
export function messageOf(notification: Notification): NotificationInput {
  const alerts = notification.alerts.map(toTemplateAlert)
  return {
    receiver: quoteRegex(notification.receiver),
    status: alerts.some(({ status }) => status === 'firing') ? 'firing' : 'resolved',
    alerts,
    groupLabels: notification.groupLabels,
    commonLabels: common(alerts.map(({ labels }) => labels)),
    commonAnnotations: common(alerts.map(({ annotations }) => annotations)),
    routeLabels: notification.routeLabels,
    externalUrl: notification.externalUrl,
    notificationReason: notification.reason,
  }
}

export const templateData = (notification: Notification): GoStruct => notificationData(messageOf(notification))

function toTemplateAlert({ alert, resolved }: NotifiedAlert): NotificationAlert {
  return {
    status: resolved ? 'resolved' : 'firing',
    labels: alert.labels,
    annotations: alert.annotations,
    startsAtMs: alert.startsAtMs,
    endsAtMs: resolved ? alert.endsAtMs : undefined,
    generatorUrl: alert.generatorUrl,
    fingerprint: alert.fingerprint,
  }
}

/** The pairs that all sets share. */
function common(sets: readonly Labels[]): Labels {
  const [first = EMPTY_LABELS, ...others] = sets
  const pairs: [string, string][] = []
  for (let i = 0; i < first.length; i += 2) {
    const name = first[i]!
    const value = first[i + 1]!
    const isShared = others.every((set) => {
      const at = set.indexOf(name)
      // A value may equal a name; names stand at even places.
      for (let j = at; j >= 0; j = set.indexOf(name, j + 1)) if (j % 2 === 0) return set[j + 1] === value
      return false
    })
    if (isShared) pairs.push([name, value])
  }
  return labelsFromEntries(pairs)
}

// The original hands out receiver names with regex characters escaped, and links in old messages rely on it.
const quoteRegex = (name: string): string => name.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')
