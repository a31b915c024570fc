import { join } from 'node:path'
import type { Clock, Logger, Registry } from '../lib/index.ts'
import { PushRejectedError } from './errors.ts'
import type { PushedFamily, PushedType } from './family.ts'
import type { GroupLabels } from './group-path.ts'
import { adoptFamilies, type Group, GroupStore } from './group-store.ts'
import { Journal } from './journal.ts'
import { createPushMetrics, type PushMetrics } from './metrics.ts'
import { writeFamilies } from './page-writer.ts'
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
  /** Accept pushes without comparing them with the rest of the page, and answer 202 before they are on disk. */
  readonly disableConsistencyCheck?: boolean
  /** Of one push, after unpacking. Default 64 MiB. */
  readonly bodyBytesMax?: number
  readonly version?: string
  /** What `/api/v1/status` shows. */
  readonly flags?: Readonly<Record<string, string>>
}

type Change =
  | { op: 'push'; labels: GroupLabels; families: readonly PushedFamily[]; replaceAll: boolean; timeMs: number }
  | { op: 'fail'; labels: GroupLabels; timeMs: number }
  | { op: 'delete'; labels: GroupLabels }
  | { op: 'wipe' }
  | { op: 'group'; group: Omit<Group, 'families'>; families: readonly { family: PushedFamily; pushedAtMs: number }[] }

const BODY_BYTES_MAX_DEFAULT = 64 << 20

/** @throws if the data folder cannot be read or written */
export async function createPushgateway(options: PushgatewayOptions): Promise<Pushgateway> {
  const gateway = new Pushgateway(options)
  await gateway.open()
  return gateway
}

/** Groups of pushed metrics. What a call has acknowledged survives the process. */
export class Pushgateway {
  readonly metrics: PushMetrics
  readonly bodyBytesMax: number
  readonly checksConsistency: boolean
  readonly enableAdminApi: boolean
  readonly onQuit: (() => void) | undefined
  readonly version: string
  readonly flags: Readonly<Record<string, string>>
  readonly startedAtMs: number
  readonly #dataDir: string | undefined
  readonly #clock: Clock
  readonly logger: Logger
  readonly #registry: Registry
  readonly #store: GroupStore
  #journal: Journal<Change> | undefined
  #pushedPage: { families: readonly PushedFamily[]; text: string } | undefined

  constructor(options: PushgatewayOptions) {
    this.#dataDir = options.dataDir
    this.#clock = options.clock
    this.logger = options.logger.child({ module: 'pushgateway' })
    this.#registry = options.registry
    this.#store = new GroupStore((name) => ownType(this.#registry, name))
    this.bodyBytesMax = options.bodyBytesMax ?? BODY_BYTES_MAX_DEFAULT
    this.checksConsistency = options.disableConsistencyCheck !== true
    this.enableAdminApi = options.enableAdminApi === true
    this.onQuit = options.onQuit
    this.version = options.version ?? ''
    this.flags = options.flags ?? {}
    this.startedAtMs = options.clock.nowMs()
    this.metrics = createPushMetrics(options.registry, this.version)
  }

  async open(): Promise<void> {
    if (this.#dataDir === undefined) return
    this.#journal = await Journal.open<Change>({
      directory: join(this.#dataDir, 'pushgateway'),
      logger: this.logger,
      replay: (change) => this.#apply(change),
      snapshot: () => this.#store.list().map(groupRecord),
    })
    this.logger.info({ groups: this.#store.size }, 'pushed groups restored')
  }

  /**
   * Takes the body of one push. `replaceAll` is PUT; otherwise only families of the same names are replaced. Resolves when
   * the push is on disk, or at once where the consistency check is off.
   *
   * @throws {PushSyntaxError} @throws {PushRejectedError} @throws {JournalError}
   */
  async push(labels: GroupLabels, text: string, options: { replaceAll: boolean }): Promise<void> {
    const { families: pushed, hasTimestamps } = parsePushedText(text)
    const timeMs = this.#clock.nowMs()
    const families = adoptFamilies(pushed, labels)
    const reasons = hasTimestamps
      ? ['pushed metrics must not have timestamps']
      : this.checksConsistency
        ? this.#store.check(labels, families, options.replaceAll)
        : []
    if (reasons.length > 0) {
      await this.#commit({ op: 'fail', labels, timeMs })
      throw new PushRejectedError(reasons)
    }
    await this.#commit({ op: 'push', labels, families, replaceAll: options.replaceAll, timeMs })
  }

  /** Removes exactly this group; one that is not there is no error. */
  async delete(labels: GroupLabels): Promise<void> {
    await this.#commit({ op: 'delete', labels })
  }

  async wipe(): Promise<void> {
    await this.#commit({ op: 'wipe' })
  }

  /** In the order of their labels. Owned by the store: read only. */
  groups(): readonly Group[] {
    return this.#store.list()
  }

  /** Own and pushed metrics in text format 0.0.4, to be scraped with `honor_labels`. Lines keep their order. */
  async scrape(): Promise<Uint8Array> {
    const own = await this.#registry.metrics()
    this.#pushedPage ??= this.#renderPushed()
    const { families, text } = this.#pushedPage
    const colliding = families.some(({ name }) => ownType(this.#registry, name) !== undefined)
    return new TextEncoder().encode(
      colliding ? mergePages(own, families) : own.trimEnd() + (own === '' ? '' : '\n') + text,
    )
  }

  async close(): Promise<void> {
    await this.#journal?.close()
  }

  #renderPushed(): { families: readonly PushedFamily[]; text: string } {
    const families = this.#store.exposedFamilies()
    return { families, text: writeFamilies(families) }
  }

  // Applied first, so that the next push is checked against it; shown to nobody as done before it is on disk.
  async #commit(change: Change): Promise<void> {
    this.#apply(change)
    await this.#journal?.append(change)
  }

  #apply(change: Change): void {
    this.#pushedPage = undefined
    switch (change.op) {
      case 'push':
        this.#store.push(change.labels, change.families, change)
        break
      case 'fail':
        this.#store.fail(change.labels, change.timeMs)
        break
      case 'delete':
        this.#store.delete(change.labels)
        break
      case 'wipe':
        this.#store.clear()
        break
      case 'group':
        this.#store.restore({
          ...change.group,
          families: new Map(change.families.map((stored) => [stored.family.name, stored])),
        })
    }
  }
}

function groupRecord({ labels, pushTimeMs, pushFailureTimeMs, families }: Group): Change {
  return { op: 'group', group: { labels, pushTimeMs, pushFailureTimeMs }, families: [...families.values()] }
}

/** prom-client keeps the type on every metric, but not in its typings. */
function ownType(registry: Registry, name: string): PushedType | undefined {
  return (registry.getSingleMetric(name) as { type?: PushedType } | undefined)?.type
}

/** Families that both pages have are joined, so that the page has each name once. */
function mergePages(own: string, pushed: readonly PushedFamily[]): string {
  const rest = new Map(pushed.map((family) => [family.name, family]))
  const merged = parsePushedText(own).families.map((family) => {
    const more = rest.get(family.name)
    rest.delete(family.name)
    return more === undefined ? family : { ...family, metrics: [...family.metrics, ...more.metrics] }
  })
  return writeFamilies([...merged, ...rest.values()])
}
