import type { HttpClient } from '../lib/index.ts'
import { createHttpClient } from '../lib/undici-client.ts'
import type { AlertmanagerTarget } from '../rules/index.ts'
import { compileRelabel } from '../scraper/index.ts'
import type { AlertmanagersConfig } from './config/load.ts'

/** The targets of `alerting.alertmanagers`, each with the client of its set; close the clients when the set is replaced. */
export function alertmanagerTargets(sets: readonly AlertmanagersConfig[]): {
  readonly targets: readonly AlertmanagerTarget[]
  readonly clients: readonly HttpClient[]
} {
  const clients: HttpClient[] = []
  const targets = sets.flatMap((set): AlertmanagerTarget[] => {
    const client = createHttpClient(set.http)
    clients.push(client)
    return urlsOf(set).map((url) => ({
      url,
      client,
      timeoutMs: set.timeoutMs,
      relabel: compileRelabel(set.alertRelabelConfigs),
    }))
  })
  return { targets, clients }
}

function urlsOf({ scheme, pathPrefix, targets }: AlertmanagersConfig): string[] {
  const prefix = pathPrefix.replace(/\/+$/, '')
  return targets.flatMap((group) => group.targets.map((address) => `${scheme}://${address}${prefix}`))
}
