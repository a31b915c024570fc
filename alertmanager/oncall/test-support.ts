import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAlertmanagerConfig, withOnCall } from '../index.ts'
import type { AlertmanagerOptions } from '../alertmanager.ts'
import { type PushedAlert, Scenario, START_MS } from '../test-support.ts'

/** An Alertmanager with an `on_call` section. */
export function startOnCall(
  config: string,
  onCall: string,
  options: Partial<AlertmanagerOptions> = {},
  startS = 0,
): Promise<Scenario> {
  return Scenario.start(config, { config: configOf(config, onCall), ...options }, startS)
}

export const configOf = (config: string, onCall: string) =>
  withOnCall(parseAlertmanagerConfig('/etc/alertmanager.yml', config), { fileName: '/etc/on-call.yml', text: onCall })

/** Long enough to fire through any test; the lease is not what is tested. */
export const fire = (s: Scenario, name: string, labels: Record<string, string> = {}): Promise<unknown> =>
  s.push({ name, labels, startS: 0, endS: 1_000_000 } satisfies PushedAlert)

export const resolve = (s: Scenario, name: string, labels: Record<string, string> = {}): Promise<unknown> =>
  s.push({ name, labels, startS: 0, endS: (s.clock.nowMs() - START_MS) / 1000 })

const DISK_MS = 50

/** A folder for the state, gone afterwards. */
export async function withDataDir(run: (dataDir: string) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'on-call-'))
  try {
    await run(dataDir)
  } finally {
    await rm(dataDir, { recursive: true })
  }
}

/**
 * Lives that end without a word at the given seconds, each going on with what the one before had written by then.
 *
 * @returns what all of them sent, and the last of them
 */
export async function livesOf(
  facts: {
    config: string
    onCall: string
    endsS: readonly number[]
    dataDir: string
    options?: Partial<AlertmanagerOptions>
  },
  begin: (first: Scenario) => Promise<unknown>,
): Promise<{ last: Scenario; requests: Scenario['client']['requests'] }> {
  const requests: Scenario['client']['requests'] = []
  let folder = join(facts.dataDir, '0')
  let life = await startOnCall(facts.config, facts.onCall, { ...facts.options, dataDir: folder })
  await begin(life)
  for (const endS of facts.endsS) {
    await life.until(endS)
    const next = join(facts.dataDir, String(endS))
    // What a killed process leaves behind is what it has written; the disk has no part in virtual time.
    await new Promise((done) => setTimeout(done, DISK_MS))
    await cp(folder, next, { recursive: true })
    requests.push(...life.client.requests)
    await life.alertmanager.stop()
    folder = next
    life = await startOnCall(facts.config, facts.onCall, { ...facts.options, dataDir: folder }, endS)
  }
  return { last: life, requests }
}
