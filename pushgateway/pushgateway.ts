import { join } from 'node:path'
import { AppError, type Clock, type Logger, type Registry } from '../lib/index.ts'
import { type Matcher, matches } from '../model/index.ts'
import { PushAccess, type PushToken } from './access.ts'
import { aggregateFamilies } from './aggregate.ts'
import { parseBody, type PushBody } from './body.ts'
import { type Change, groupChanges, type PushChange } from './change.ts'
import { PushRejectedError } from './errors.ts'
import { adoptFamilies } from './exposed-labels.ts'
import type { PushedFamily, PushedType } from './family.ts'
import type { Group } from './group.ts'
import type { GroupLabels } from './group-path.ts'
import { GroupStore, type PushLimits } from './group-store.ts'
import { readPersistenceFile } from './import/persistence-file.ts'
import { Journal } from './journal.ts'
import { createPushMetrics, type PushMetrics } from './metrics.ts'
import { type PageFormat, PLAIN_TEXT } from './negotiate.ts'
import { takePageState, writePage } from './page.ts'
import type { PushEvent } from './push-history.ts'
import type { PushOptions } from './push-options.ts'
import { readFamily } from './stored-family.ts'
import { parsePushedText } from './text-parser.ts'

export interface PushgatewayOptions {
  /** Pushes are kept in `pushgateway/` below it. Without it they live as long as the process. */
  readonly dataDir: string | undefined
  readonly clock: Clock
  readonly logger: Logger
  /** The gateway's own: what is in it stands on the page beside the pushed metrics. */
  readonly registry: Registry
  /** Default false: `PUT /api/v1/admin/wipe` is answered with 404. */
  readonly enableAdminApi?: boolean
  /** What `/-/quit` does. Without it that is answered with 403. */
  readonly onQuit?: () => void
  /** Accept pushes without comparing them with the rest of the page; they are answered 202 then. */
  readonly disableConsistencyCheck?: boolean
  /** Take names of any characters: quoted in bodies, as `U__…` in paths. Default false. */
  readonly utf8Names?: boolean
  /** Of one push, after unpacking. Default 64 MiB. */
  readonly bodyBytesMax?: number
  readonly limits?: Partial<PushLimits>
  /** Of groups whose pushes say nothing else; 0, the default: they stay until they are deleted. */
  readonly ttlMs?: number
  /** Pushes remembered of each group, default 10. */
  readonly eventsPerGroup?: number
  /** Default: everybody may push. */
  readonly tokens?: readonly PushToken[]
  /** A persistence file of the original, taken over when there is nothing of our own yet. */
  readonly importFile?: string
  readonly version?: string
  /** What `/api/v1/status` shows. */
  readonly flags?: Readonly<Record<string, string>>
}

const BODY_BYTES_MAX_DEFAULT = 64 << 20
const EVENTS_PER_GROUP_DEFAULT = 10
const LIMITS_DEFAULT: PushLimits = {
  metricsPerGroup: 200_000,
  groups: 200_000,
  metrics: 2_000_000,
  pageCharacters: 1 << 29,
}

/** @throws if the data folder cannot be read or written, or the file to import cannot be read */
export async function createPushgateway(options: PushgatewayOptions): Promise<Pushgateway> {
  const gateway = new Pushgateway(options)
  await gateway.open()
  return gateway
}

/** Who sent a push, for its group's history. */
export interface PushSender {
  readonly method: 'PUT' | 'POST'
  readonly address: string
  /** Of the body as sent. */
  readonly bytes: number
}

/** Groups of pushed metrics. What a call has acknowledged survives the process. */
export class Pushgateway {
  readonly metrics: PushMetrics
  readonly access: PushAccess
  readonly bodyBytesMax: number
  readonly checksConsistency: boolean
  readonly enableAdminApi: boolean
  readonly utf8Names: boolean
  readonly onQuit: (() => void) | undefined
  readonly version: string
  readonly flags: Readonly<Record<string, string>>
  readonly startedAtMs: number
  readonly logger: Logger
  readonly #options: PushgatewayOptions
  readonly #limits: PushLimits
  readonly #store: GroupStore
  #journal: Journal<Change> | undefined
  #nextExpiryMs: number | undefined
  #cancelExpiry: () => void = () => undefined

  constructor(options: PushgatewayOptions) {
    const { clock, logger, registry } = options
    this.#options = options
    this.logger = logger.child({ module: 'pushgateway' })
    this.utf8Names = options.utf8Names === true
    this.#store = new GroupStore({
      ownTypeOf: (name) => ownType(registry, name),
      eventsMax: options.eventsPerGroup ?? EVENTS_PER_GROUP_DEFAULT,
      allowsUtf8: this.utf8Names,
    })
    this.#limits = { ...LIMITS_DEFAULT, ...options.limits }
    this.access = new PushAccess(options.tokens ?? [])
    this.bodyBytesMax = options.bodyBytesMax ?? BODY_BYTES_MAX_DEFAULT
    this.checksConsistency = options.disableConsistencyCheck !== true
    this.enableAdminApi = options.enableAdminApi === true
    this.onQuit = options.onQuit
    this.version = options.version ?? ''
    this.flags = options.flags ?? {}
    this.startedAtMs = clock.nowMs()
    this.metrics = createPushMetrics(registry, this.version, {
      groups: () => this.#store.size,
      metrics: () => this.#store.metricCount,
      overdueGroups: () => this.overdueCount(clock.nowMs()),
    })
  }

  async open(): Promise<void> {
    const { dataDir, importFile } = this.#options
    if (dataDir !== undefined)
      this.#journal = await Journal.open<Change>({
        directory: join(dataDir, 'pushgateway'),
        logger: this.logger,
        replay: (change) => this.#replay(change),
        snapshot: () => groupChanges(this.#store.groups),
      })
    if (importFile !== undefined && this.#store.size === 0) await this.#import(importFile)
    this.#sweep()
    this.logger.info({ groups: this.#store.size }, 'pushed groups restored')
  }

  /**
   * Takes the body of one push. PUT replaces the group; POST only families of the same names, or adds where it is told to.
   * Resolves when the push is on disk.
   *
   * @throws {PushSyntaxError} @throws {PushBodyError} @throws {PushRejectedError} @throws {PushLimitError}
   * @throws {PushOptionError} @throws {JournalError}
   */
  async push(labels: GroupLabels, body: PushBody, sender: PushSender, options: PushOptions): Promise<void> {
    const { families: pushed, hasTimestamps } = parseBody(body, this)
    const event = { timeMs: this.#options.clock.nowMs(), ...eventOf(sender), refusal: '' }
    const adopted = adoptFamilies(pushed, labels)
    const replaceAll = sender.method === 'PUT' && options.aggregate === undefined
    if (hasTimestamps) return this.#refuse(labels, event, ['pushed metrics must not have timestamps'])
    const reasons = this.checksConsistency ? this.#store.check(labels, adopted, replaceAll) : []
    if (reasons.length > 0) return this.#refuse(labels, event, reasons)
    const families = this.#aggregated(labels, adopted, options.aggregate)
    this.#store.checkLimits(labels, { families, replaceAll, characters: body.bytes.length }, this.#limits)
    const isNew = (this.#store.group(labels)?.pushTimeMs ?? 0) === 0
    const ttlMs = options.ttlMs ?? (isNew ? this.#options.ttlMs : undefined)
    const { format, bytes } = body
    const { aggregate } = options
    const change: PushChange = { op: 'push', labels, format, body: bytes, replaceAll, event, ttlMs, aggregate }
    // Applied first, so that the next push is checked against it; shown to nobody as done before it is on disk.
    const group = this.#store.push(labels, families, change)
    if (group.ttlMs > 0) this.#expectExpiry(group.pushTimeMs + group.ttlMs)
    await this.#journal?.append(change)
  }

  /** Removes exactly this group; one that is not there is no error. */
  async delete(labels: GroupLabels): Promise<void> {
    this.#store.delete(labels)
    await this.#journal?.append({ op: 'delete', labels })
  }

  /** Removes every group that one of the lists matches by its labels, and says which. */
  async deleteMatching(matcherSets: readonly (readonly Matcher[])[], options: { dryRun: boolean }): Promise<Group[]> {
    const chosen = this.#store.groups.filter(({ labels }) =>
      matcherSets.some((set) => set.every((matcher) => matches(matcher, labels[matcher.name] ?? ''))),
    )
    if (!options.dryRun) await Promise.all(chosen.map(({ labels }) => this.delete(labels)))
    return chosen
  }

  async wipe(): Promise<void> {
    this.#store.clear()
    await this.#journal?.append({ op: 'wipe' })
  }

  /** In the order of their labels. Owned by the store: read only. */
  groups(): readonly Group[] {
    return this.#store.groups
  }

  /** Groups that have not been pushed for much longer than they usually are. */
  overdueCount(nowMs: number): number {
    return this.#store.groups.filter(({ dueAtMs }) => dueAtMs < nowMs).length
  }

  /** Own and pushed metrics, in pieces: everything as it was at one moment. */
  async page(format: PageFormat): Promise<AsyncGenerator<Buffer>> {
    const own = parsePushedText(await this.#options.registry.metrics(), { utf8Names: true }).families
    return writePage(takePageState(this.#store.groups, own), format)
  }

  /** The page in text format 0.0.4, to be scraped with `honor_labels`. Lines keep their order. */
  async scrape(): Promise<Uint8Array> {
    const pieces: Buffer[] = []
    for await (const piece of await this.page(PLAIN_TEXT)) pieces.push(piece)
    return Buffer.concat(pieces)
  }

  async close(): Promise<void> {
    this.#cancelExpiry()
    await this.#journal?.close()
  }

  async #refuse(labels: GroupLabels, event: PushEvent, reasons: readonly string[]): Promise<never> {
    const refusal = new PushRejectedError(reasons)
    // Refused pushes must not fill the store with groups that have nothing else.
    if (this.#store.size < this.#limits.groups || this.#store.group(labels) !== undefined) {
      const change: Change = { op: 'fail', labels, event: { ...event, refusal: refusal.message } }
      this.#store.fail(labels, change.event)
      await this.#journal?.append(change)
    }
    throw refusal
  }

  #aggregated(
    labels: GroupLabels,
    families: readonly PushedFamily[],
    mode: PushOptions['aggregate'],
  ): readonly PushedFamily[] {
    const before = mode === undefined ? undefined : this.#store.group(labels)
    if (mode === undefined || before === undefined) return families
    const familyOf = (name: string): PushedFamily | undefined => {
      const stored = before.families.get(name)
      return stored && readFamily(stored)
    }
    return aggregateFamilies(families, familyOf, mode)
  }

  // ---- after a restart -------------------------------------------------------------------------------------------------

  #replay(change: Change): void {
    try {
      this.#apply(change)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      this.logger.error({ err: error }, 'a push of the journal cannot be read any more and is left out')
    }
  }

  #apply(change: Change): void {
    if (change.op === 'push') {
      const body = { format: change.format, bytes: change.body }
      const { families } = parseBody(body, { utf8Names: true })
      const adopted = adoptFamilies(families, change.labels)
      this.#store.push(change.labels, this.#aggregated(change.labels, adopted, change.aggregate), change)
    } else if (change.op === 'fail') this.#store.fail(change.labels, change.event)
    else if (change.op === 'delete') this.#store.delete(change.labels)
    else if (change.op === 'wipe') this.#store.clear()
    else this.#store.restore(change.group, change.families)
  }

  async #import(file: string): Promise<void> {
    const groups = await readPersistenceFile(file)
    for (const change of groups) {
      this.#replay(change)
      await this.#journal?.append(change)
    }
    this.logger.info({ file, groups: groups.length }, 'groups of another Pushgateway taken over')
  }

  // ---- expiry ----------------------------------------------------------------------------------------------------------

  #expectExpiry(atMs: number): void {
    if (this.#nextExpiryMs !== undefined && this.#nextExpiryMs <= atMs) return
    this.#cancelExpiry()
    this.#nextExpiryMs = atMs
    this.#cancelExpiry = this.#options.clock.schedule(atMs - this.#options.clock.nowMs(), () => this.#sweep())
  }

  /** What goes is missing from the next scrape, which ends its series with staleness markers. */
  #sweep(): void {
    this.#nextExpiryMs = undefined
    const { groups, nextAtMs } = this.#store.expired(this.#options.clock.nowMs())
    for (const { labels } of groups) {
      this.metrics.expired.inc()
      this.logger.info({ labels }, 'group expired')
      this.delete(labels).catch((error: unknown) => this.logger.error({ err: error }, 'expiry not recorded'))
    }
    if (nextAtMs !== undefined) this.#expectExpiry(nextAtMs)
  }
}

const eventOf = ({ method, address, bytes }: PushSender) => ({ method, sender: address, bytes })

/** prom-client keeps the type on every metric, but not in its typings. */
function ownType(registry: Registry, name: string): PushedType | undefined {
  return (registry.getSingleMetric(name) as { type?: PushedType } | undefined)?.type
}
