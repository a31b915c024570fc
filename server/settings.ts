import { type PromqlFeatures, promqlFeaturesOf } from './query/promql-features.ts'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { ClusterOptions } from '../alertmanager/index.ts'
import type { LogFormat, LogLevel } from '../lib/index.ts'
import { formatDuration, parseDuration } from '../model/index.ts'
import { clusterOf } from './cluster-settings.ts'
import { FlagError, type ParsedFlags, parseListenAddress, parseSize } from './flags.ts'
import { WRITE_MESSAGES } from './remote-write/content-type.ts'

export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** The command line, with units settled and every value checked. */
export interface Settings {
  /** `undefined`: belltower.yml in the working folder, else the built-in configuration. */
  readonly configPath: string | undefined
  readonly alertmanagerConfigPath: string
  readonly dataDir: string
  readonly listen: ListenAddress
  readonly alertmanagerListen: ListenAddress | undefined
  /** `undefined` = the Alertmanager is alone. */
  readonly cluster: ClusterOptions | undefined
  readonly pushgatewayListen: ListenAddress | undefined
  /** As given, '' = derive from the address. */
  readonly externalUrl: string
  /** '' or `/prefix`. */
  readonly routePrefix: string
  readonly lifecycleEnabled: boolean
  readonly adminApiEnabled: boolean
  readonly notificationsSubscribersMax: number
  readonly remoteWriteEnabled: boolean
  readonly otlpEnabled: boolean
  /** Full names of protobuf messages. */
  readonly remoteWriteMessages: readonly string[]
  /** '' = none. */
  readonly webConfigPath: string
  readonly corsOrigin: RegExp
  readonly retentionMs: number
  readonly retentionBytes: number
  readonly blockDurationMs: number
  readonly walSegmentBytes: number
  readonly lookbackDeltaMs: number
  readonly queryTimeoutMs: number
  readonly queryMaxSamples: number
  /** In one answer to a remote reader. */
  readonly remoteReadSamplesMax: number
  readonly remoteReadFrameBytesMax: number
  readonly queryWorkers: number
  readonly outageToleranceMs: number
  readonly gracePeriodMs: number
  readonly resendDelayMs: number
  readonly notificationQueueCapacity: number
  /** '' = none. */
  readonly dashboardsPath: string
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
  /** Of `--enable-feature`; names that are not known do nothing. */
  readonly features: ReadonlySet<string>
  readonly promql: PromqlFeatures
}

/** @throws {FlagError} */
export function settingsOf({ values }: ParsedFlags): Settings {
  const text = (name: string): string => values.get(name) ?? ''
  const durationMs = (name: string): number => parseDuration(text(name))
  const address = (name: string): ListenAddress | undefined =>
    text(name) === '' ? undefined : parseListenAddress(text(name))
  const features = new Set(
    text('enable-feature')
      .split(',')
      .map((name) => name.trim()),
  )
  const externalUrl = text('web.external-url').replace(/\/+$/, '')
  if (externalUrl !== '' && !URL.canParse(externalUrl))
    throw new FlagError(`--web.external-url: not a URL: ${externalUrl}`)
  const workers = Number(text('query.workers'))
  return {
    configPath: text('config.file') === '' ? undefined : text('config.file'),
    alertmanagerConfigPath: text('alertmanager.config.file'),
    dataDir: text('storage.tsdb.path'),
    listen: parseListenAddress(text('web.listen-address')),
    alertmanagerListen: address('alertmanager.listen-address'),
    cluster: clusterOf(values),
    pushgatewayListen: address('pushgateway.listen-address'),
    externalUrl,
    routePrefix: routePrefixOf(text('web.route-prefix'), externalUrl),
    lifecycleEnabled: text('web.enable-lifecycle') === 'true',
    adminApiEnabled: text('web.enable-admin-api') === 'true',
    notificationsSubscribersMax: Number(text('web.max-notifications-subscribers')),
    remoteWriteEnabled: text('web.enable-remote-write-receiver') === 'true',
    otlpEnabled: text('web.enable-otlp-receiver') === 'true',
    remoteWriteMessages: writeMessages(text('web.remote-write-receiver.accepted-protobuf-messages')),
    webConfigPath: text('web.config.file'),
    corsOrigin: corsRegex(text('web.cors.origin')),
    retentionMs: durationMs('storage.tsdb.retention.time'),
    retentionBytes: parseSize(text('storage.tsdb.retention.size')),
    blockDurationMs: durationMs('storage.tsdb.min-block-duration'),
    walSegmentBytes: parseSize(text('storage.tsdb.wal-segment-size')),
    lookbackDeltaMs: durationMs('query.lookback-delta'),
    queryTimeoutMs: durationMs('query.timeout'),
    queryMaxSamples: Number(text('query.max-samples')),
    remoteReadSamplesMax: Number(text('storage.remote.read-sample-limit')),
    remoteReadFrameBytesMax: Number(text('storage.remote.read-max-bytes-in-frame')),
    queryWorkers: workers > 0 ? workers : Math.max(1, availableParallelism() - 1),
    outageToleranceMs: durationMs('rules.alert.for-outage-tolerance'),
    gracePeriodMs: durationMs('rules.alert.for-grace-period'),
    resendDelayMs: durationMs('rules.alert.resend-delay'),
    notificationQueueCapacity: Number(text('alertmanager.notification-queue-capacity')),
    dashboardsPath: text('dashboards.path'),
    logLevel: oneOf('log.level', text('log.level'), ['debug', 'info', 'warn', 'error']),
    logFormat: oneOf('log.format', text('log.format'), ['json', 'logfmt', 'pretty']),
    features,
    promql: promqlFeaturesOf(features),
  }
}

/** `15d`, `15d or 512MB`. */
export function retentionText(retentionMs: number, retentionBytes: number): string {
  const time = formatDuration(retentionMs)
  return retentionBytes > 0 ? `${time} or ${Math.round(retentionBytes / 1024 ** 2)}MB` : time
}

export const stateFolder = (settings: Settings, component: string): string => join(settings.dataDir, component)

function routePrefixOf(given: string, externalUrl: string): string {
  const path = given !== '' ? given : externalUrl !== '' ? new URL(externalUrl).pathname : ''
  const trimmed = path.replace(/^\/+|\/+$/g, '')
  return trimmed === '' ? '' : `/${trimmed}`
}

function writeMessages(text: string): readonly string[] {
  const names = text.split(',').filter((name) => name !== '')
  for (const name of names) oneOf('web.remote-write-receiver.accepted-protobuf-messages', name, WRITE_MESSAGES)
  return names.length > 0 ? names : WRITE_MESSAGES
}

function corsRegex(text: string): RegExp {
  try {
    return new RegExp(`^(?:${text})$`)
  } catch (cause) {
    throw new FlagError(`--web.cors.origin: ${(cause as Error).message}`, { cause })
  }
}

function oneOf<T extends string>(name: string, value: string, known: readonly T[]): T {
  const found = known.find((candidate) => candidate === value)
  if (found === undefined) throw new FlagError(`--${name}: "${value}" is not one of ${known.join(', ')}`)
  return found
}
