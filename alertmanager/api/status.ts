import type { Alertmanager } from '../alertmanager.ts'
import { timeText } from './alert-input.ts'
import { type Query, receiverFilter } from './query.ts'

export function getStatus(alertmanager: Alertmanager): unknown {
  const { startedAtMs, config, version } = alertmanager.status()
  return {
    cluster: clusterOf(alertmanager),
    config: { original: config },
    uptime: timeText(startedAtMs),
    versionInfo: {
      branch: 'belltower',
      buildDate: '',
      buildUser: '',
      goVersion: `node ${process.versions.node}`,
      revision: 'belltower',
      version,
    },
  }
}

export function getReceivers(alertmanager: Alertmanager, query: Query): unknown[] {
  const receivers = alertmanager.receivers()
  const isWanted = receiverFilter({ receiver_matchers: query['receiver_matchers'] }, receivers)
  return receivers.filter(({ name }) => isWanted(name)).map(({ name }) => ({ name }))
}

function clusterOf({ cluster }: Alertmanager): unknown {
  if (!cluster) return { peers: [], status: 'disabled' }
  const { name, peers } = cluster.status
  const alive = peers.filter(({ isAlive }) => isAlive).map((peer) => ({ name: peer.name, address: peer.address }))
  return { name, status: alive.length === peers.length ? 'ready' : 'settling', peers: alive }
}
