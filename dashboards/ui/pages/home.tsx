// The first page: is all well, how is this host, how is Belltower itself.
import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { hostBoard } from '../../library/host.ts'
import { selfBoard } from '../../library/self.ts'
import { availableRows, bindBoard, matcherList } from '../../model/board.ts'
import { queryVector } from '../api/prometheus.ts'
import { BoardView } from '../panel/board-view.tsx'
import { scrapeIntervalMs, useMetricNames } from '../state/catalog.ts'
import { useLive } from '../state/live.ts'
import { route, setParams } from '../state/route.ts'
import { HealthStrip } from './health-strip.tsx'

interface Host {
  readonly job: string
  readonly instance: string
  readonly name: string
}

const HOSTS_EXPR =
  'group by (job, instance, nodename) (node_uname_info) or on (job, instance) group by (job, instance) (node_cpu_seconds_total)'

export function HomePage(): JSX.Element {
  const viewing = route.value.search.has('viewPanel')
  return (
    <main id="main" tabIndex={-1} class="home">
      <h1 class="sr-only">Home</h1>
      {!viewing && <HealthStrip />}
      <HostSection viewing={viewing} />
      <SelfSection viewing={viewing} />
    </main>
  )
}

function HostSection({ viewing }: { viewing: boolean }): JSX.Element | null {
  const { data: hosts } = useLive(loadHosts, [])
  const wanted = route.value.search.get('var-instance')
  const host = hosts?.find(({ instance }) => instance === wanted) ?? hosts?.[0]
  const matchers = host === undefined ? undefined : matcherList({ job: host.job, instance: host.instance })
  const names = useMetricNames(matchers === undefined ? undefined : `{${matchers}}`, matchers !== undefined)
  const rows = useMemo(
    () =>
      matchers === undefined || names === undefined
        ? []
        : availableRows(bindBoard(hostBoard, { host: matchers }), names),
    [matchers, names],
  )
  const intervalMs = scrapeIntervalMs(host?.job)
  if (viewing)
    return intervalMs === undefined ? null : <BoardView rows={rows} scrapeIntervalMs={intervalMs} scope="host/" />
  return (
    <section class="board-section" aria-labelledby="host-title">
      <div class="section-head">
        <h2 id="host-title">Host</h2>
        {host !== undefined && hosts !== undefined && <HostPicker hosts={hosts} host={host} />}
      </div>
      {hosts !== undefined && host === undefined && (
        <p class="notice">
          <span class="pulse" aria-hidden="true" /> No host metrics yet. Panels appear as soon as a target exposes
          node_* metrics.
        </p>
      )}
      {host !== undefined && rows.length === 0 && (
        <p class="notice">
          <span class="pulse" aria-hidden="true" /> Collecting first samples…
        </p>
      )}
      {intervalMs !== undefined && <BoardView rows={rows} scrapeIntervalMs={intervalMs} scope={`${matchers}/`} />}
    </section>
  )
}

function HostPicker({ hosts, host }: { hosts: readonly Host[]; host: Host }): JSX.Element {
  if (hosts.length === 1) {
    return (
      <span class="host-name">
        {host.name} <span class="dim">{host.instance}</span>
      </span>
    )
  }
  return (
    <select
      class="control"
      aria-label="Host"
      value={host.instance}
      onChange={(event) => setParams({ 'var-instance': event.currentTarget.value })}
    >
      {hosts.map(({ instance, name }) => (
        <option key={instance} value={instance}>
          {name === instance ? name : `${name} (${instance})`}
        </option>
      ))}
    </select>
  )
}

function SelfSection({ viewing }: { viewing: boolean }): JSX.Element | null {
  const { data: self } = useLive(loadSelf, [])
  const matchers = self === undefined ? undefined : matcherList(self)
  const names = useMetricNames(matchers === undefined ? undefined : `{${matchers}}`, matchers !== undefined)
  const rows = useMemo(() => (names === undefined ? [] : availableRows(selfBoard, names)), [names])
  const intervalMs = scrapeIntervalMs(self?.job)
  const board = intervalMs === undefined ? null : <BoardView rows={rows} scrapeIntervalMs={intervalMs} scope="self/" />
  if (viewing) return board
  return (
    <section class="board-section" aria-labelledby="self-title">
      <div class="section-head">
        <h2 id="self-title">Belltower itself</h2>
      </div>
      {rows.length === 0 && (
        <p class="notice">
          <span class="pulse" aria-hidden="true" /> Collecting first samples…
        </p>
      )}
      {board}
    </section>
  )
}

/** The target that holds the store. */
async function loadSelf(signal: AbortSignal): Promise<{ job: string; instance: string } | undefined> {
  const [sample] = await queryVector('group by (job, instance) (prometheus_tsdb_head_series)', undefined, signal)
  return sample === undefined ? undefined : { job: sample.metric.job ?? '', instance: sample.metric.instance ?? '' }
}

async function loadHosts(signal: AbortSignal): Promise<Host[]> {
  const samples = await queryVector(HOSTS_EXPR, undefined, signal)
  const hosts = new Map<string, Host>()
  for (const { metric } of samples) {
    const { job = '', instance = '', nodename } = metric
    const key = `${job}\u0000${instance}`
    if (!hosts.has(key) || nodename !== undefined) hosts.set(key, { job, instance, name: nodename ?? instance })
  }
  return [...hosts.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}
