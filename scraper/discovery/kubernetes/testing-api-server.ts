import type { IncomingMessage, ServerResponse } from 'node:http'

// What the tests of everything that talks to a cluster share.

export type Item = {
  metadata: { name: string; namespace?: string; resourceVersion?: string; [key: string]: unknown }
} & Record<string, unknown>

/** An API server for lists and watches of any collection, with versions, bookmarks, and a history that can be forgotten. */
export class ApiServer {
  /** Single objects, by their path. */
  readonly objects = new Map<string, unknown>()
  /** Paths that are not there. */
  unknown = /^$/
  readonly collections = new Map<string, Map<string, Item>>()
  readonly asked: { path: string; query: URLSearchParams; authorization: string | undefined }[] = []
  readonly watches = new Set<{ path: string; response: ServerResponse }>()
  #version = 100
  /** Watches from an earlier version are told that it is gone. */
  #oldest = 0
  #history: { path: string; type: string; version: number; object: Item }[] = []

  readonly handler = (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url!, 'http://api')
    this.asked.push({ path: url.pathname, query: url.searchParams, authorization: request.headers.authorization })
    response.setHeader('content-type', 'application/json')
    if (this.unknown.test(url.pathname)) {
      response.statusCode = 404
      response.end('404 page not found')
    } else if (this.objects.has(url.pathname)) response.end(JSON.stringify(this.objects.get(url.pathname)))
    else if (url.searchParams.get('watch') === '1') this.#watch(url, response)
    else this.#list(url, response)
  }

  set(path: string, item: Item): void {
    const held = this.#of(path)
    const key = `${item.metadata.namespace ?? ''}/${item.metadata.name}`
    this.#emit(path, held.has(key) ? 'MODIFIED' : 'ADDED', item)
    held.set(key, item)
  }

  delete(path: string, key: string): void {
    const item = this.#of(path).get(key)!
    this.#of(path).delete(key)
    this.#emit(path, 'DELETED', item)
  }

  bookmark(path: string): void {
    const object = { metadata: { name: '', resourceVersion: String(++this.#version) } }
    this.#send(path, 'BOOKMARK', object)
  }

  /** What came before can no longer be continued from; watches end. */
  forget(): void {
    this.#oldest = ++this.#version
    this.#history = []
    this.drop()
  }

  /** Ends every watch as a server does when its time is up. */
  end(): void {
    for (const { response } of this.watches) response.end()
    this.watches.clear()
  }

  /** Breaks every connection in the middle. */
  drop(): void {
    for (const { response } of this.watches) response.destroy()
    this.watches.clear()
  }

  #of(path: string): Map<string, Item> {
    let held = this.collections.get(path)
    if (!held) this.collections.set(path, (held = new Map()))
    return held
  }

  #emit(path: string, type: string, item: Item): void {
    item.metadata.resourceVersion = String(++this.#version)
    const object = structuredClone(item)
    this.#history.push({ path, type, version: this.#version, object })
    this.#send(path, type, object)
  }

  #send(path: string, type: string, object: Item): void {
    for (const watch of this.watches) {
      // In two pieces, as a network may cut it.
      const line = `${JSON.stringify({ type, object })}\n`
      if (watch.path !== path) continue
      watch.response.write(line.slice(0, 20))
      watch.response.write(line.slice(20))
    }
  }

  #list(url: URL, response: ServerResponse): void {
    const all = [...this.#of(url.pathname).values()]
    // Pages of two, whatever was asked for.
    const from = Number(url.searchParams.get('continue') ?? 0)
    const more = from + 2 < all.length ? { continue: String(from + 2) } : {}
    const metadata = { resourceVersion: String(this.#version), ...more }
    response.end(JSON.stringify({ kind: 'List', metadata, items: all.slice(from, from + 2) }))
  }

  #watch(url: URL, response: ServerResponse): void {
    const since = Number(url.searchParams.get('resourceVersion'))
    response.writeHead(200)
    response.flushHeaders()
    if (since < this.#oldest) {
      response.end(`${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })}\n`)
      return
    }
    for (const { path, type, version, object } of this.#history) {
      if (path === url.pathname && version > since) response.write(`${JSON.stringify({ type, object })}\n`)
    }
    const watch = { path: url.pathname, response }
    this.watches.add(watch)
    response.on('close', () => this.watches.delete(watch))
  }
}
