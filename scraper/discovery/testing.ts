import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { labelsToRecord } from '../../model/index.ts'
import type { DiscoveryConfig } from './config.ts'
import { createDiscovery } from './create.ts'
import type { Discovery, TargetGroup } from './discovery.ts'

// What the tests of discoveries share: a peer on loopback, and a discovery whose groups are watched.

const cleanups: (() => unknown)[] = []

/** Call after each test. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
}

/** Runs at the next `cleanUp`. */
export const onCleanUp = (cleanup: () => unknown): void => void cleanups.push(cleanup)

export const parts = { clock: systemClock, logger: silentLogger }

export async function until<T>(read: () => T | undefined | false): Promise<T> {
  for (let i = 0; i < 2500; i++) {
    const value = read()
    if (value !== undefined && value !== false) return value as T
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('waited too long')
}

/** Serves on a port of its own, or on a Unix socket; resolves with the base URL. */
export async function serve(handler: RequestListener, socketPath?: string): Promise<string> {
  const server: Server = createServer(handler)
  await new Promise<void>((resolve) =>
    socketPath === undefined ? server.listen(0, '127.0.0.1', resolve) : server.listen(socketPath, resolve),
  )
  cleanups.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return socketPath === undefined
    ? `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    : `unix://${socketPath}`
}

/** Answers JSON by path; a path that is not there gets 404. Remembers what was asked. */
export function jsonPages(pages: Readonly<Record<string, unknown>>): {
  handler: RequestListener
  asked: IncomingMessage[]
} {
  const asked: IncomingMessage[] = []
  const handler: RequestListener = (request, response) => {
    asked.push(request)
    const page = pages[request.url!.split('?')[0]!]
    response.statusCode = page === undefined ? 404 : 200
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(page ?? { message: 'not found' }))
  }
  return { handler, asked }
}

/** Runs a discovery; `targets` are the labels of all targets as they were told last, `undefined` before the first time. */
export function follow(discovery: Discovery): {
  targets: () => Record<string, string>[] | undefined
  updates: () => number
} {
  let groups: readonly TargetGroup[] | undefined
  let updates = 0
  discovery.run((next) => {
    groups = next
    updates++
  })
  cleanups.push(() => discovery.stop())
  return {
    targets: () => groups?.flatMap((group) => group.targets.map(labelsToRecord)),
    updates: () => updates,
  }
}

export const addressesOf = (targets: readonly Record<string, string>[] | undefined): string[] | undefined =>
  targets?.map((target) => target['__address__']!).sort()

/** Whether certificates can be made here. @param test is named where it is skipped */
export function hasOpenssl(test: string): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    console.log(`skipped: ${test} needs openssl to make a certificate`)
    return false
  }
}

/**
 * Makes a certificate that vouches for itself; it goes at the next `cleanUp`.
 *
 * @param how key and subject, as arguments of `openssl req`
 * @returns paths
 */
export function makeCertificate(how: readonly string[]): { readonly key: string; readonly cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'belltower-certificate-'))
  onCleanUp(() => rmSync(folder, { recursive: true }))
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')]
  execFileSync('openssl', ['req', '-x509', '-nodes', ...how, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  return { key, cert }
}

/** A file with this text; it goes at the next `cleanUp`. @returns its path */
export function fileOf(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'belltower-sd-'))
  onCleanUp(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'file'), text)
  return join(folder, 'file')
}

/** Until the next `cleanUp`. */
export function setEnv(name: string, value: string): void {
  const before = process.env[name]
  process.env[name] = value
  onCleanUp(() => (before === undefined ? delete process.env[name] : (process.env[name] = before)))
}

/** The first targets that a discovery finds. */
export const targetsOf = (config: DiscoveryConfig) => until(follow(createDiscovery(config, parts)).targets)

/** What is answered to a request, by its method and path and by what it carried. */
type JsonReply = (request: IncomingMessage, url: URL, body: string) => unknown

/** A peer that answers JSON; 404 where there is no answer. */
export async function serveJson(reply: JsonReply): Promise<string> {
  return serve((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const answer = reply(request, new URL(request.url!, 'http://host'), body)
      response.statusCode = answer === undefined ? 404 : 200
      response.setHeader('x-subject-token', 'the token')
      response.end(JSON.stringify(answer ?? { message: 'not found' }))
    })
  })
}
