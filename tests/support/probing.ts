/** Servers to probe, and what a probe of them finds. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect } from 'vitest'
import { silentLogger } from '../../lib/log.ts'
import { createProber, parseProbeConfig } from '../../scraper/index.ts'

/** Run after each test, last first. */
export const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => new Promise((resolve) => server.close(resolve)))
  return (server.address() as AddressInfo).port
}

export interface Found {
  /** By name and labels. */
  readonly values: Record<string, number>
  /** What went on. */
  readonly report: string
}

/** Probes with the one module of a file. */
export async function probeWith(target: string, modules: ReturnType<typeof parseProbeConfig>, hostname = '') {
  const request = { target, module: 'm', hostname, scrapeTimeoutSeconds: 3, debug: true }
  const probed = await createProber(() => modules, silentLogger).probe(request)
  const [report, page] = probed!.body.split('\n\nMetrics:\n')
  const lines = page!.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const values = Object.fromEntries(
    lines.map((line) => {
      const space = line.lastIndexOf(' ')
      return [line.slice(0, space), Number(line.slice(space + 1))]
    }),
  )
  expect(values['probe_success']).toBe(probed!.success ? 1 : 0)
  return { values, report: report! } satisfies Found
}

/** @param module what stands after its name */
export const moduleOf = (module: string) => parseProbeConfig('probes.yml', `modules:\n  m: ${module}\n`)

/** Values by name and labels, of a probe with one module. */
export const probe = async (target: string, module: string, hostname = ''): Promise<Record<string, number>> =>
  (await probeWith(target, moduleOf(module), hostname)).values

/** Paths of a certificate for `probe.test` and 127.0.0.1, and of its key. */
export function makeCertificate(): { readonly key: string; readonly cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'belltower-probe-'))
  cleanups.push(() => rmSync(folder, { recursive: true }))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=probe.test', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:probe.test']
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30']
  execFileSync('openssl', [...made, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' })
  return { key, cert }
}
