import { hostname } from 'node:os'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { AppError } from '../lib/index.ts'
import { parseDuration } from '../model/index.ts'

/** A command line that cannot be used. */
export class FlagError extends AppError {
  override readonly code = 'ERR_FLAG'
  override readonly httpStatus = 400
}

type FlagKind = 'string' | 'boolean' | 'integer' | 'duration' | 'size' | 'list'

export interface FlagSpec {
  /** Without the dashes, dots and all: `storage.tsdb.path`. */
  readonly name: string
  readonly kind: FlagKind
  /** As it would be written on the command line; '' = unset. */
  readonly default: string
  readonly help: string
}

/** One row of a table of flags. */
export const flag = (name: string, kind: FlagKind, byDefault: string, help: string): FlagSpec => ({
  name,
  kind,
  default: byDefault,
  help,
})

/** Flags of Alertmanagers that notify together. */
export const CLUSTER_FLAGS: readonly FlagSpec[] = [
  flag('cluster.peer', 'list', '', 'URLs of other instances, separated by commas, that notify together with this one.'),
  flag('cluster.peer-name', 'string', hostname(), 'Name of this instance; each has its own.'),
  flag('cluster.peer-timeout', 'duration', '15s', 'How long to wait for the instances before this one to notify.'),
  flag('cluster.key-file', 'string', '', 'File with the key that the instances share.'),
]

/** Every flag of `belltower server`; names and defaults are Prometheus', Alertmanager's and Pushgateway's. */
export const SERVER_FLAGS: readonly FlagSpec[] = [
  flag('config.file', 'string', '', 'Configuration file; default belltower.yml in the working folder, else built in.'),
  flag('web.listen-address', 'string', '127.0.0.1:9090', 'Address of the user interface and of every API.'),
  flag('web.external-url', 'string', '', 'URL under which users reach the server; used in links.'),
  flag('web.route-prefix', 'string', '', 'Path prefix of every route; default: the path of --web.external-url.'),
  flag('web.enable-lifecycle', 'boolean', 'false', 'Allow reload and shutdown by HTTP request.'),
  flag('web.enable-admin-api', 'boolean', 'false', 'Allow deletion of series and snapshots by HTTP request.'),
  flag('web.enable-remote-write-receiver', 'boolean', 'false', 'Take samples by remote write at /api/v1/write.'),
  flag('web.enable-otlp-receiver', 'boolean', 'false', 'Take OpenTelemetry metrics at /api/v1/otlp/v1/metrics.'),
  flag(
    'web.remote-write-receiver.accepted-protobuf-messages',
    'list',
    '',
    'Messages that remote write may use: prometheus.WriteRequest, io.prometheus.write.v2.Request; default both.',
  ),
  flag('web.max-notifications-subscribers', 'integer', '16', 'Readers of live notifications at one time.'),
  flag('web.config.file', 'string', '', 'File with TLS, users and headers of our ports; default: none of these.'),
  flag('web.cors.origin', 'string', '.*', 'Regular expression of origins that may read the API, fully anchored.'),
  flag('storage.tsdb.path', 'string', 'data/', 'Data folder.'),
  flag('storage.tsdb.retention.time', 'duration', '15d', 'How long samples are kept.'),
  flag('storage.tsdb.retention.size', 'size', '0', 'How many bytes samples may take, e.g. 512MB; 0 = no limit.'),
  flag('storage.tsdb.min-block-duration', 'duration', '2h', 'Time covered by a new block.'),
  flag(
    'storage.tsdb.wal-segment-size',
    'size',
    '32MB',
    'Size at which a log segment is closed; so much of it brings about a checkpoint.',
  ),
  flag(
    'storage.remote.read-sample-limit',
    'integer',
    '50000000',
    'Samples a remote reader gets at once; 0 = no limit.',
  ),
  flag(
    'storage.remote.read-max-bytes-in-frame',
    'integer',
    '1048576',
    'Length of a frame of chunks for remote readers.',
  ),
  flag('query.lookback-delta', 'duration', '5m', 'How far back an instant selector looks for a sample.'),
  flag('query.timeout', 'duration', '2m', 'How long a query may take.'),
  flag('query.max-samples', 'integer', '50000000', 'Samples one query may hold in memory.'),
  flag('query.workers', 'integer', '0', 'Query threads; 0 = cores minus one, at least 1.'),
  flag('rules.alert.for-outage-tolerance', 'duration', '1h', "Longest outage after which 'for' states are restored."),
  flag('rules.alert.for-grace-period', 'duration', '10m', "Shortest time to firing after a restored 'for' state."),
  flag('rules.alert.resend-delay', 'duration', '1m', 'Shortest time before an alert is sent again.'),
  flag('alertmanager.notification-queue-capacity', 'integer', '10000', 'Alerts waiting for each Alertmanager.'),
  flag('alertmanager.config.file', 'string', '', 'Alertmanager configuration of the embedded Alertmanager.'),
  flag('alertmanager.listen-address', 'string', '', 'Also serve the Alertmanager at the root of this address.'),
  ...CLUSTER_FLAGS,
  flag('pushgateway.listen-address', 'string', '', 'Also serve the Pushgateway at the root of this address.'),
  flag('dashboards.path', 'string', '', "Folder of dashboards as JSON files, or Grafana's provisioning file."),
  flag('log.level', 'string', 'info', 'debug, info, warn or error.'),
  flag('log.format', 'string', 'json', 'json, logfmt or pretty.'),
  flag('enable-feature', 'list', '', 'Names of features to switch on, separated by commas.'),
]

/** Prometheus' flags that mean nothing here: accepted with a warning, so that an existing command line works. */
const IGNORED_FLAGS: ReadonlySet<string> = new Set([
  'alertmanager.drain-notification-queue-on-shutdown',
  'alertmanager.notification-batch-size',
  'alertmanager.timeout',
  'config.auto-reload-interval',
  'query.max-concurrency',
  'rules.max-concurrent-evals',
  'scrape.discovery-reload-interval',
  'storage.remote.flush-deadline',
  'storage.remote.read-concurrent-limit',
  'storage.tsdb.allow-overlapping-blocks',
  'storage.tsdb.head-chunks-write-queue-size',
  'storage.tsdb.max-block-duration',
  'storage.tsdb.no-lockfile',
  'storage.tsdb.wal-compression',
  'storage.tsdb.wal-compression-type',
  'web.console.libraries',
  'web.console.templates',
  'web.max-connections',
  'web.page-title',
  'web.read-timeout',
  'web.user-assets',
])
/** Of those, the ones that take no value. */
const IGNORED_SWITCHES: ReadonlySet<string> = new Set([
  'alertmanager.drain-notification-queue-on-shutdown',
  'storage.tsdb.allow-overlapping-blocks',
  'storage.tsdb.no-lockfile',
  'storage.tsdb.wal-compression',
])

export interface ParsedFlags {
  /** Every flag by name, as text, defaults filled in: what `/api/v1/status/flags` shows. */
  readonly values: ReadonlyMap<string, string>
  /** What the user should know: flags that have no meaning here. */
  readonly warnings: readonly string[]
}

/**
 * Gives a command these flags; each can also come from the environment (`BELLTOWER_WEB_LISTEN_ADDRESS` for
 * `--web.listen-address`). Prometheus' flags without a meaning here are taken silently; `readFlags` warns of them.
 */
export function addFlags(command: Command, specs: readonly FlagSpec[]): Command {
  for (const spec of specs) {
    const isSwitch = spec.kind === 'boolean'
    const option = new Option(`--${spec.name}${isSwitch ? '' : ' <value>'}`, spec.help)
      .env(environmentName(spec.name))
      .default(isSwitch ? spec.default === 'true' : spec.default)
    if (!isSwitch) option.argParser((value, before: string) => checkedValue(spec, value, before))
    command.addOption(option)
    if (isSwitch) command.addOption(new Option(`--no-${spec.name}`).hideHelp())
  }
  for (const name of IGNORED_FLAGS) {
    const isSwitch = IGNORED_SWITCHES.has(name)
    command.addOption(new Option(`--${name}${isSwitch ? '' : ' <value>'}`).hideHelp())
    if (isSwitch) command.addOption(new Option(`--no-${name}`).hideHelp())
  }
  return command
}

/** What the parsed command line says, after `command.parse`. */
export function readFlags(command: Command, specs: readonly FlagSpec[]): ParsedFlags {
  const values = new Map<string, string>()
  const warnings: string[] = []
  for (const option of command.options) {
    const name = option.long?.slice(2) ?? ''
    const value: unknown = command.getOptionValue(option.attributeName())
    const isOurs = specs.some((spec) => spec.name === name)
    // A switch that comes from the environment arrives as text.
    if (isOurs) values.set(name, typeof value === 'string' ? value : String(value === true))
    else if (IGNORED_FLAGS.has(name) && command.getOptionValueSource(option.attributeName()) === 'cli') {
      warnings.push(`flag --${name} is accepted for compatibility and has no effect here`)
    }
  }
  return { values, warnings }
}

export const environmentName = (flagName: string): string => `BELLTOWER_${flagName.toUpperCase().replace(/[.-]/g, '_')}`

/** @throws {FlagError} */
export function parseSize(text: string): number {
  const match = /^(\d+)(B|KB|MB|GB|TB|PB|EB)?$/.exec(text)
  if (!match || (match[2] === undefined && match[1] !== '0')) {
    throw new FlagError(`not a valid size: "${text}" (write a number with a unit: 512MB, 20GB)`)
  }
  const exponent = ['B', 'KB', 'MB', 'GB', 'TB', 'PB', 'EB'].indexOf(match[2] ?? 'B')
  return Number(match[1]) * 1024 ** exponent
}

/** `host:port`, `:port` (all interfaces), `[::1]:port`. @throws {FlagError} */
export function parseListenAddress(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d+)$/.exec(text)
  const port = Number(match?.[3])
  if (!match || port > 65_535) throw new FlagError(`not a listen address: "${text}" (write host:port)`)
  return { host: match[1] ?? (match[2] === '' ? '0.0.0.0' : match[2]!), port }
}

/** @throws {InvalidArgumentError} which commander prints together with the flag's name */
function checkedValue(spec: FlagSpec, value: string, before: string): string {
  const fail = (why: string): never => {
    throw new InvalidArgumentError(why)
  }
  if (spec.kind === 'list') return before === '' ? value : `${before},${value}`
  if (spec.kind === 'integer' && !/^\d+$/.test(value)) fail('not a whole number')
  try {
    if (spec.kind === 'size') parseSize(value)
    if (spec.kind === 'duration') parseDuration(value)
  } catch (error) {
    fail((error as Error).message)
  }
  return value
}
