import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import type { ParsedConfig } from '../../lib/index.ts'
import { ConfigError, parseConfig } from '../../lib/yaml-config.ts'
import { formatDuration } from '../../model/index.ts'
import { credentialFaults, globalFaults } from './credentials.ts'
import { type GlobalYaml, globalSchema } from './global-schema.ts'
import { type HttpConfigYaml, httpConfigFaults } from './http-config.ts'
import { integrationKeys, type ReceiverYaml, receiverSchema } from './integration-schemas.ts'
import { toReceiver } from './integrations.ts'
import { printedConfig } from './printed.ts'
import {
  equalMap,
  matcherList,
  regexMap,
  resolveRoute,
  ROUTE_DEFAULTS,
  routeFaults,
  routeSchema,
} from './route-schema.ts'
import { text } from './scalars.ts'
import { namedTimeIntervalSchema } from './time-interval-schema.ts'
import type { AlertmanagerConfig } from './types.ts'

const RESOLVE_TIMEOUT_DEFAULT_MS = 5 * 60_000

const inhibitRuleSchema = z.strictObject({
  name: text.optional(),
  source_match: equalMap.optional(),
  source_match_re: regexMap.optional(),
  source_matchers: matcherList.optional(),
  target_match: equalMap.optional(),
  target_match_re: regexMap.optional(),
  target_matchers: matcherList.optional(),
  equal: z.array(text).optional(),
})

const fileSchema = z.preprocess(
  withoutNulls,
  z.strictObject({
    global: globalSchema.optional(),
    templates: z.array(text).optional(),
    route: routeSchema,
    receivers: z.array(receiverSchema).optional(),
    // `- ` alone is a rule that does nothing.
    inhibit_rules: z.array(inhibitRuleSchema.nullable()).optional(),
    time_intervals: z.array(namedTimeIntervalSchema).optional(),
    mute_time_intervals: z.array(namedTimeIntervalSchema).optional(),
    // Accepted so that a file loads as it is; nothing here sends traces.
    tracing: z.record(z.string(), z.unknown()).optional(),
  }),
)
type FileYaml = z.infer<typeof fileSchema>

/**
 * Reads an alertmanager.yml.
 *
 * @param fileName where it lies; relative `templates` and files inside `http_config` start from its folder
 * @throws {ConfigError} with every fault as `file:line:column: path: why`, among them integrations that this version cannot
 *   send through
 */
export function parseAlertmanagerConfig(fileName: string, content: string): AlertmanagerConfig {
  const parsed = parseConfig(fileName, content, fileSchema)
  throwIfAny([...faultsOf(parsed), ...unavailableFaults(parsed)])
  return toConfig(fileName, content, parsed)
}

/**
 * Checks the file alone: whether the original would accept it. An integration that cannot be sent through yet is no fault
 * here.
 *
 * @throws {ConfigError}
 */
export function checkAlertmanagerConfig(fileName: string, content: string): void {
  throwIfAny(faultsOf(parseConfig(fileName, content, fileSchema)))
}

function throwIfAny(faults: readonly string[]): void {
  if (faults.length > 0) throw new ConfigError(faults)
}

type Path = readonly (string | number)[]

function faultsOf({ value, fault }: ParsedConfig<FileYaml>): string[] {
  const global = value.global ?? {}
  const found: [Path, string][] = globalFaults(global).map(([path, why]) => [['global', ...path], why])
  const at = (path: Path, faults: Iterable<readonly [Path, string]>): void => {
    for (const [inner, why] of faults) found.push([[...path, ...inner], why])
  }
  const receivers = value.receivers ?? []
  receivers.forEach((receiver, i) => {
    if (receivers.findIndex((other) => other.name === receiver.name) < i)
      found.push([['receivers', i, 'name'], `notification config name "${receiver.name}" is not unique`])
    const named = receiver.labels?.['name']
    if (named !== undefined && named !== receiver.name)
      found.push([['receivers', i, 'labels', 'name'], "must equal the receiver's name"])
    for (const key of integrationKeys) {
      receiver[key]?.forEach((entry, j) => at(['receivers', i, key, j], credentialFaults(key, entry, global)))
    }
  })
  const intervals = [
    ...(value.time_intervals ?? []).map((named, i) => ({ ...named, path: ['time_intervals', i] })),
    ...(value.mute_time_intervals ?? []).map((named, i) => ({ ...named, path: ['mute_time_intervals', i] })),
  ]
  intervals.forEach(({ name, path }, i) => {
    if (intervals.findIndex((other) => other.name === name) < i)
      found.push([[...path, 'name'], `time interval "${name}" is not unique`])
  })
  const known = {
    receivers: new Set(receivers.map(({ name }) => name)),
    timeIntervals: new Set(intervals.map(({ name }) => name)),
  }
  at([], routeFaults(value.route, known))
  return found.map(([path, why]) => fault(path, why))
}

/** What the file asks for and this version cannot do: better an error now than a page that is never sent. */
function unavailableFaults({ value, fault }: ParsedConfig<FileYaml>): string[] {
  const faults: string[] = []
  const http = (path: Path, config: HttpConfigYaml | undefined): void => {
    for (const [inner, why] of config ? httpConfigFaults(config) : [])
      faults.push(fault([...path, 'http_config', ...inner], why))
  }
  http(['global'], value.global?.http_config)
  value.receivers?.forEach((receiver, i) => {
    for (const key of integrationKeys) {
      const path = ['receivers', i, key]
      receiver[key]?.forEach((entry, j) => {
        if ('http_config' in entry) http([...path, j], entry.http_config)
      })
    }
  })
  return faults
}

function toConfig(fileName: string, content: string, { value, fault }: ParsedConfig<FileYaml>): AlertmanagerConfig {
  const resolvePath = (path: string): string => resolve(dirname(fileName), path)
  const global: GlobalYaml = value.global ?? {}
  const route = resolveRoute(value.route, ROUTE_DEFAULTS)
  const intervals = [...(value.time_intervals ?? []), ...(value.mute_time_intervals ?? [])]
  const resolveTimeoutMs = global.resolve_timeout ?? RESOLVE_TIMEOUT_DEFAULT_MS
  return {
    route,
    receivers: (value.receivers ?? []).map((receiver: ReceiverYaml) => toReceiver(receiver, { global, resolvePath })),
    inhibitRules: (value.inhibit_rules ?? []).map((rule) => ({
      name: rule?.name ?? '',
      sourceMatchers: [
        ...(rule?.source_match ?? []),
        ...(rule?.source_match_re ?? []),
        ...(rule?.source_matchers ?? []),
      ],
      targetMatchers: [
        ...(rule?.target_match ?? []),
        ...(rule?.target_match_re ?? []),
        ...(rule?.target_matchers ?? []),
      ],
      equal: rule?.equal ?? [],
    })),
    timeIntervals: new Map(intervals.map(({ name, time_intervals }) => [name, time_intervals ?? []])),
    templates: (value.templates ?? []).map(resolvePath),
    resolveTimeoutMs,
    printed: printedConfig(content, route, formatDuration(resolveTimeoutMs)),
    faultAt: (where, what, why) => fault(settingPath(value, where, what), why),
  }
}

/** Where a text stands in the file: `receiver/slack/0`, `fields.1.title` → receivers.2.slack_configs.0.fields.1.title. */
function settingPath(value: FileYaml, where: string, what: string): Path {
  const [, receiver, kind, index] = /^(.*)\/([a-z0-9]+)\/(\d+)$/s.exec(where) ?? []
  if (receiver === undefined) return ['route']
  const at = (value.receivers ?? []).findIndex(({ name }) => name === receiver)
  const inner = what.split(/[. [\]]+/).filter((part) => part !== '' && part !== 'key')
  return [
    'receivers',
    at,
    `${kind}_configs`,
    Number(index),
    ...inner.map((part) => (/^\d+$/.test(part) ? Number(part) : part)),
  ]
}

const KEEPS_NULLS = /^(source_|target_)?match(_re)?$/

/** An empty key is an absent key, but inside the old matcher maps it is a mistake. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [key, KEEPS_NULLS.test(key) ? inner : withoutNulls(inner)]),
  )
}
