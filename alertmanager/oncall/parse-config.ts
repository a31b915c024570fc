import { dirname, resolve } from 'node:path'
import { ConfigError, parseConfig } from '../../lib/yaml-config.ts'
import { labelsFromRecord } from '../../model/index.ts'
import { defaultConfig } from '../config/default-config.ts'
import { toHttpClientConfig } from '../config/http-config.ts'
import type { AlertmanagerConfig, Secret } from '../config/types.ts'
import { matchersText, parseMatchers } from '../matcher/parse.ts'
import { onCallFaults } from './faults.ts'
import { type OnCallYaml, onCallSchema } from './schema.ts'
import type {
  EscalationPolicy,
  ExpectedHeartbeat,
  HeartbeatConfig,
  Layer,
  OnCallConfig,
  Person,
  ReceiverPolicy,
  Schedule,
} from './types.ts'
import { instantOf } from '../route/wall-clock.ts'

const MINUTE_MS = 60_000

/**
 * Lays what belongs to people on call over an Alertmanager's configuration, whose file stays what the original reads.
 *
 * @param config `undefined` = the one that is in force without a file
 * @throws {ConfigError} with every fault, among them names that the Alertmanager's configuration does not have
 */
export function withOnCall(
  config: AlertmanagerConfig = defaultConfig,
  file: { readonly fileName: string; readonly text: string },
): AlertmanagerConfig {
  const { value, fault } = parseConfig(file.fileName, file.text, onCallSchema)
  const faults = onCallFaults(value, config)
  if (faults.length > 0) throw new ConfigError(faults.map(([path, why]) => fault(path, why)))
  return { ...config, onCall: toOnCall(value, (path) => resolve(dirname(file.fileName), path)) }
}

function toOnCall(yaml: OnCallYaml, resolvePath: (path: string) => string): OnCallConfig {
  const byName = <T extends { readonly name: string }>(items: readonly T[]) =>
    new Map(items.map((item) => [item.name, item]))
  return {
    people: byName((yaml.people ?? []).map(toPerson)),
    schedules: byName((yaml.schedules ?? []).map(toSchedule)),
    receivers: new Map((yaml.receivers ?? []).map((policy) => [policy.receiver, toPolicy(policy)])),
    heartbeats: (yaml.heartbeats ?? []).map((heartbeat) => toHeartbeat(heartbeat, resolvePath)),
    expectedHeartbeats: (yaml.expected_heartbeats ?? []).map((heartbeat) => toExpected(heartbeat, resolvePath)),
    flapDamping: (yaml.flap_damping ?? []).map(({ matchers = [], changes, window, stable_for = window }) => ({
      matchers,
      changesMax: changes,
      windowMs: window,
      stableForMs: stable_for,
    })),
    mutedResolved: yaml.muted_resolved ?? 'drop',
  }
}

type Entry<K extends keyof OnCallYaml> = NonNullable<OnCallYaml[K]> extends readonly (infer T)[] ? T : never

function toPerson({ name, ...contacts }: Entry<'people'>): Person {
  return { name, contacts: withoutUndefined(contacts) }
}

const withoutUndefined = (contacts: Omit<Entry<'people'>, 'name'>): Person['contacts'] =>
  Object.fromEntries(Object.entries(contacts).filter(([, value]) => value !== undefined))

function toSchedule({ name, time_zone: timeZone, layers, overrides = [] }: Entry<'schedules'>): Schedule {
  return {
    name,
    timeZone,
    layers: layers.map(
      (layer, i): Layer => ({
        name: layer.name ?? `layer ${i + 1}`,
        turns: layer.people.map((turn) => [turn].flat()),
        startWallMs: layer.start + (layer.hand_over ?? 0),
        endWallMs: layer.end,
        turnMs: layer.rotation,
        active: (layer.active ?? []).map((interval) => ({ ...interval, timeZone: interval.timeZone ?? timeZone })),
      }),
    ),
    overrides: overrides.map(({ people, start, end, comment = '' }) => ({
      people,
      fromMs: instantOf(start, timeZone),
      toMs: instantOf(end, timeZone),
      comment,
    })),
  }
}

const toPolicy = ({ receiver, schedule, escalation }: Entry<'receivers'>): ReceiverPolicy => ({
  receiver,
  schedule,
  escalation: escalation && toEscalation(escalation),
})

function toEscalation(yaml: NonNullable<Entry<'receivers'>['escalation']>): EscalationPolicy {
  const steps = yaml.steps.map(({ receiver, after, schedule, people = [] }) => ({
    receiver,
    afterMs: after,
    schedule,
    people,
  }))
  return {
    steps,
    repeat: yaml.repeat ?? 0,
    repeatAfterMs: yaml.repeat_after ?? steps.at(-1)!.afterMs,
    skipsFailures: yaml.on_failure !== 'wait',
  }
}

function toHeartbeat(yaml: Entry<'heartbeats'>, resolvePath: (path: string) => string): HeartbeatConfig {
  const intervalMs = yaml.interval ?? MINUTE_MS
  return {
    name: yaml.name,
    url: secretOf(yaml.url, yaml.url_file, resolvePath)!,
    method: yaml.method ?? 'GET',
    body: yaml.body ?? '',
    headers: yaml.headers ?? {},
    intervalMs,
    matchers: yaml.matchers ?? parseMatchers('alertname="Watchdog"'),
    // Senders renew an alert each minute or so; two may get lost.
    staleAfterMs: yaml.stale_after ?? Math.max(3 * intervalMs, 5 * MINUTE_MS),
    undeliveredAfterMs: yaml.undelivered_after ?? 5 * MINUTE_MS,
    http: toHttpClientConfig(yaml.http_config ?? {}, resolvePath),
  }
}

function toExpected(yaml: Entry<'expected_heartbeats'>, resolvePath: (path: string) => string): ExpectedHeartbeat {
  const { name, matchers = [] } = yaml
  const labels = { severity: 'critical', ...yaml.labels, alertname: yaml.labels?.['alertname'] ?? 'HeartbeatMissing' }
  const from = matchers.length > 0 ? `the alert ${matchersText(matchers)}` : 'its sender'
  return {
    name,
    matchers,
    intervalMs: yaml.interval,
    graceMs: yaml.grace ?? MINUTE_MS,
    token: secretOf(yaml.token, yaml.token_file, resolvePath),
    labels: labelsFromRecord({ ...labels, heartbeat: name }),
    annotations: labelsFromRecord({
      summary: `The heartbeat ${name} stays away`,
      description: `No sign of life has come from ${from} in time.`,
      ...yaml.annotations,
    }),
  }
}

function secretOf(
  value: string | undefined,
  path: string | undefined,
  resolvePath: (path: string) => string,
): Secret | undefined {
  if (path !== undefined && path !== '') return { kind: 'file', path: resolvePath(path) }
  return value === undefined || value === '' ? undefined : { kind: 'inline', value }
}
