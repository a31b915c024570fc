import { errorMessage } from '../../../lib/index.ts'
import type { Discovery, TargetGroup } from '../discovery.ts'
import { groupOf } from '../meta-labels.ts'
import type { DiscoveryParts } from '../poll.ts'
import type { ZookeeperSdConfig } from './config.ts'
import { memberLabels } from './members.ts'
import { NO_NODE, ZookeeperClient, ZookeeperReplyError } from './zookeeper-client.ts'

const TIMEOUT_DEFAULT_MS = 10_000
const RETRY_MS = 1000
// Members often come and go together.
const SETTLE_MS = 100

/** Every node below the paths that describes a member of a service; kept up to date by watches. */
export function zookeeperDiscovery(config: ZookeeperSdConfig, parts: DiscoveryParts): Discovery {
  return new ZookeeperDiscovery(config, parts)
}

class ZookeeperDiscovery implements Discovery {
  readonly #config: ZookeeperSdConfig
  readonly #parts: DiscoveryParts
  /** What each node holds, by its path. */
  #nodes = new Map<string, Buffer>()
  #client: ZookeeperClient | undefined
  #onUpdate: ((groups: readonly TargetGroup[]) => void) | undefined
  #cancelTimer: (() => void) | undefined
  #cancelSettle: (() => void) | undefined
  /** Nodes being read; nothing is told until there are none. */
  #reading = 0
  #serverIndex = 0

  constructor(config: ZookeeperSdConfig, parts: DiscoveryParts) {
    this.#config = config
    this.#parts = parts
    this.#serverIndex = Math.floor(Math.random() * config.servers.length)
  }

  run(onUpdate: (groups: readonly TargetGroup[]) => void): void {
    this.#onUpdate = onUpdate
    this.#connect()
  }

  stop(): Promise<void> {
    this.#onUpdate = undefined
    this.#cancelTimer?.()
    this.#cancelSettle?.()
    this.#client?.close()
    return Promise.resolve()
  }

  #connect(): void {
    const { servers, paths, timeoutMs = TIMEOUT_DEFAULT_MS } = this.#config
    const server = servers[this.#serverIndex++ % servers.length]!
    const nodes = new Map<string, Buffer>()
    this.#reading = 0
    const client = new ZookeeperClient(
      server,
      { timeoutMs, clock: this.#parts.clock },
      {
        onChange: (path) => this.#read(client, nodes, path),
        onEnd: (error) => this.#lost(server, error),
      },
    )
    this.#client = client
    for (const path of paths) this.#read(client, nodes, path)
  }

  /** What was known stays in use until another server has told everything anew. */
  #lost(server: string, error: Error): void {
    if (!this.#onUpdate) return
    this.#parts.onFailure?.()
    this.#parts.logger.error({ server, reason: errorMessage(error) }, 'ZooKeeper is lost, the last targets stay in use')
    this.#cancelSettle?.()
    this.#cancelTimer = this.#parts.clock.schedule(RETRY_MS, () => this.#connect())
  }

  #read(client: ZookeeperClient, nodes: Map<string, Buffer>, path: string): void {
    this.#reading++
    this.#readTree(client, nodes, path)
      // The end of the session is told elsewhere.
      .catch(() => undefined)
      .finally(() => {
        if (client !== this.#client) return
        this.#reading--
        if (this.#reading === 0) this.#settle(nodes)
      })
  }

  /** A node that may not be read is left out, the others are told. @throws {Error} when the session ends */
  async #readTree(client: ZookeeperClient, nodes: Map<string, Buffer>, path: string): Promise<void> {
    try {
      await this.#readNode(client, nodes, path)
    } catch (error) {
      if (!(error instanceof ZookeeperReplyError)) throw error
      this.#parts.logger.warn({ path, reason: errorMessage(error) }, 'a ZooKeeper node cannot be read')
    }
  }

  async #readNode(client: ZookeeperClient, nodes: Map<string, Buffer>, path: string): Promise<void> {
    try {
      const data = await client.data(path)
      const names = await client.children(path)
      nodes.set(path, data)
      const base = path === '/' ? '' : path
      const children = new Set(names.map((name) => `${base}/${name}`))
      for (const known of nodes.keys()) {
        if (isChild(known, path) && !children.has(known)) forget(nodes, known)
      }
      await Promise.all(
        [...children].filter((child) => !nodes.has(child)).map((child) => this.#readTree(client, nodes, child)),
      )
    } catch (error) {
      if (!(error instanceof ZookeeperReplyError) || error.reply !== NO_NODE) throw error
      forget(nodes, path)
      // Its parent is watched, except where there is none of ours.
      if (this.#config.paths.includes(path)) await client.awaitNode(path)
    }
  }

  #settle(nodes: Map<string, Buffer>): void {
    this.#cancelSettle?.()
    this.#cancelSettle = this.#parts.clock.schedule(SETTLE_MS, () => {
      this.#nodes = nodes
      this.#onUpdate?.([...this.#groups()])
    })
  }

  *#groups(): Iterable<TargetGroup> {
    for (const [path, data] of this.#nodes) {
      const labels = memberLabels(this.#config.kind, path, data)
      if (labels) yield groupOf(path, [labels])
    }
  }
}

const isChild = (path: string, parent: string): boolean =>
  path !== parent && path.slice(0, path.lastIndexOf('/')) === (parent === '/' ? '' : parent)

function forget(nodes: Map<string, Buffer>, path: string): void {
  for (const known of nodes.keys()) if (known === path || known.startsWith(`${path}/`)) nodes.delete(known)
}
