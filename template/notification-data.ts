import { compareStrings, type Labels } from '../model/index.ts'
import { GoTime } from './go-time.ts'
import { GoMap, GoSlice, GoStruct, type GoValue, templateFunction } from './values.ts'

/** One alert as notification templates see it. Times are Unix milliseconds. */
export interface NotificationAlert {
  readonly status: 'firing' | 'resolved'
  readonly labels: Labels
  readonly annotations: Labels
  readonly startsAtMs: number
  /** `undefined` while it fires: Go's zero time. */
  readonly endsAtMs: number | undefined
  readonly generatorUrl: string
  /** 16 hexadecimal digits. */
  readonly fingerprint: string
}

/** Everything a notification template can reach. */
export interface NotificationInput {
  readonly receiver: string
  readonly status: 'firing' | 'resolved'
  readonly alerts: readonly NotificationAlert[]
  readonly groupLabels: Labels
  readonly commonLabels: Labels
  readonly commonAnnotations: Labels
  readonly routeLabels: Labels
  readonly externalUrl: string
  readonly notificationReason: string
}

/** Alertmanager's template data: `.Alerts.Firing`, `.CommonLabels.SortedPairs`, `.ExternalURL` … */
export function notificationData(input: NotificationInput): GoStruct {
  return new GoStruct(
    'template.Data',
    {
      Receiver: input.receiver,
      Status: input.status,
      Alerts: alertSlice(input.alerts.map(alertStruct)),
      GroupLabels: goKv(input.groupLabels),
      CommonLabels: goKv(input.commonLabels),
      CommonAnnotations: goKv(input.commonAnnotations),
      RouteLabels: goKv(input.routeLabels),
      ExternalURL: input.externalUrl,
      NotificationReason: input.notificationReason,
    },
    { jsonNames: DATA_JSON_NAMES },
  )
}

const DATA_JSON_NAMES = {
  Receiver: 'receiver',
  Status: 'status',
  Alerts: 'alerts',
  GroupLabels: 'groupLabels',
  CommonLabels: 'commonLabels',
  CommonAnnotations: 'commonAnnotations',
  RouteLabels: 'routeLabels',
  ExternalURL: 'externalURL',
  NotificationReason: 'notification_reason',
}

const ALERT_JSON_NAMES = {
  Status: 'status',
  Labels: 'labels',
  Annotations: 'annotations',
  StartsAt: 'startsAt',
  EndsAt: 'endsAt',
  GeneratorURL: 'generatorURL',
  Fingerprint: 'fingerprint',
}

function alertStruct(alert: NotificationAlert): GoStruct {
  return new GoStruct(
    'template.Alert',
    {
      Status: alert.status,
      Labels: goKv(alert.labels),
      Annotations: goKv(alert.annotations),
      StartsAt: GoTime.fromUnixMs(alert.startsAtMs),
      EndsAt: alert.endsAtMs === undefined ? GoTime.ZERO : GoTime.fromUnixMs(alert.endsAtMs),
      GeneratorURL: alert.generatorUrl,
      Fingerprint: alert.fingerprint,
    },
    { jsonNames: ALERT_JSON_NAMES },
  )
}

function alertSlice(alerts: readonly GoStruct[]): GoSlice {
  const withStatus = (status: string): GoSlice =>
    alertSlice(alerts.filter((alert) => alert.fields['Status'] === status))
  return new GoSlice('template.Alerts', alerts, {
    methods: {
      Firing: templateFunction([], () => withStatus('firing')),
      Resolved: templateFunction([], () => withStatus('resolved')),
    },
  })
}

/** Alertmanager's `KV`: a string map with `SortedPairs`, `Remove`, `Names`, `Values`, `String`. */
export function goKv(labels: Labels): GoMap {
  const entries = new Map<string, string>()
  for (let i = 0; i < labels.length; i += 2) entries.set(labels[i]!, labels[i + 1]!)
  return kvOf(entries)
}

function kvOf(entries: ReadonlyMap<string, string>): GoMap {
  const pairs = () => pairSlice(sortedPairs(entries))
  const text = () => pairsText(sortedPairs(entries))
  return new GoMap(entries, {
    typeName: 'template.KV',
    zero: '',
    text,
    methods: {
      SortedPairs: templateFunction([], pairs),
      Remove: templateFunction(['strings'], (names) => {
        const left = new Map(entries)
        for (const name of names) left.delete(name)
        return kvOf(left)
      }),
      Names: templateFunction([], () => sortedPairs(entries).map(([name]) => name)),
      Values: templateFunction([], () => sortedPairs(entries).map(([, value]) => value)),
      String: templateFunction([], text),
    },
  })
}

type Pair = readonly [name: string, value: string]

/** By name, but the alert's name goes first: people read it as the title. */
function sortedPairs(entries: ReadonlyMap<string, string>): Pair[] {
  const rank = (name: string): number => (name === 'alertname' ? 0 : 1)
  return [...entries].sort(([a], [b]) => rank(a) - rank(b) || compareStrings(a, b))
}

const pairsText = (pairs: readonly Pair[]): string => pairs.map(([name, value]) => `${name}=${value}`).join(', ')

function pairSlice(pairs: readonly Pair[]): GoSlice {
  const items: GoValue[] = pairs.map(([Name, Value]) => new GoStruct('template.Pair', { Name, Value }))
  return new GoSlice('template.Pairs', items, {
    text: () => pairsText(pairs),
    methods: {
      Names: templateFunction([], () => pairs.map(([name]) => name)),
      Values: templateFunction([], () => pairs.map(([, value]) => value)),
      String: templateFunction([], () => pairsText(pairs)),
    },
  })
}
