import type { JSX } from 'preact'
import { formatValue } from '../../model/units.ts'
import { type Target, targets as loadTargets } from '../api/prometheus.ts'
import { formatAgo } from '../shell/format.ts'
import { Labels } from '../shell/labels.tsx'
import { Filter, ListState, Page } from '../shell/page.tsx'
import { useLive } from '../state/live.ts'
import { route, setParams } from '../state/route.ts'

const HEALTHS = ['all', 'up', 'down', 'unknown'] as const

export function TargetsPage(): JSX.Element {
  const { data, error, loading } = useLive((abort) => loadTargets(abort), [])
  const { search } = route.value
  const filter = search.get('search') ?? ''
  const health = search.get('health') ?? 'all'
  const all = data?.activeTargets ?? []
  const shown = all.filter((target) => (health === 'all' || target.health === health) && mentions(target, filter))
  const pools = new Map<string, Target[]>()
  for (const target of shown) pools.set(target.scrapePool, [...(pools.get(target.scrapePool) ?? []), target])
  const count = (wanted: string) =>
    wanted === 'all' ? all.length : all.filter((target) => target.health === wanted).length
  return (
    <Page
      title="Targets"
      tools={
        <>
          <span class="chips" role="group" aria-label="Health">
            {HEALTHS.map((name) => (
              <button
                key={name}
                type="button"
                class="chip"
                aria-pressed={health === name}
                onClick={() => setParams({ health: name === 'all' ? undefined : name }, { replace: true })}
              >
                {name} <span class="dim">{count(name)}</span>
              </button>
            ))}
          </span>
          <Filter
            label="Filter by label, address or error"
            value={filter}
            onInput={(text) => setParams({ search: text === '' ? undefined : text }, { replace: true })}
          />
        </>
      }
    >
      {shown.length === 0 && (
        <ListState
          error={error}
          loading={loading && data === undefined}
          empty={all.length === 0 ? 'Nothing is scraped.' : 'No target matches.'}
        />
      )}
      {[...pools]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([pool, members]) => (
          <Pool key={pool} pool={pool} targets={members} />
        ))}
    </Page>
  )
}

function Pool({ pool, targets }: { pool: string; targets: readonly Target[] }): JSX.Element {
  const up = targets.filter(({ health }) => health === 'up').length
  return (
    <section class="card" aria-label={pool}>
      <h2 class="card-title">
        {pool} <span class={up === targets.length ? 'dim' : 'cell-crit'}>{`${up} of ${targets.length} up`}</span>
      </h2>
      <div class="table-scroll">
        <table class="grid targets">
          <thead>
            <tr>
              <th scope="col">Health</th>
              <th scope="col">Endpoint</th>
              <th scope="col">Labels</th>
              <th scope="col" class="num">
                Last scrape
              </th>
              <th scope="col" class="num">
                Took
              </th>
              <th scope="col" class="num">
                Every
              </th>
            </tr>
          </thead>
          <tbody>
            {targets.map((target) => (
              <TargetRow key={`${target.scrapeUrl} ${JSON.stringify(target.labels)}`} target={target} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function TargetRow({ target }: { target: Target }): JSX.Element {
  const { health, scrapeUrl, labels, lastError, lastScrape, lastScrapeDuration, scrapeInterval, discoveredLabels } =
    target
  const discovered = Object.entries(discoveredLabels ?? {})
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join('\n')
  return (
    <tr>
      <td>
        <span class={`state-tag state-${health}`}>{health}</span>
      </td>
      <td class="endpoint">
        {/^https?:/.test(scrapeUrl) ? (
          <a href={scrapeUrl} rel="noreferrer" target="_blank">
            {scrapeUrl}
          </a>
        ) : (
          scrapeUrl
        )}
        {lastError !== '' && <p class="row-error">{lastError}</p>}
      </td>
      <td title={`Before relabelling:\n${discovered}`}>
        <Labels labels={labels} />
      </td>
      <td class="num">{formatAgo(lastScrape)}</td>
      <td class="num">{formatValue(lastScrapeDuration, 's')}</td>
      <td class="num">{scrapeInterval ?? ''}</td>
    </tr>
  )
}

function mentions({ scrapeUrl, lastError, labels, scrapePool }: Target, text: string): boolean {
  const wanted = text.toLowerCase()
  const haystack = [
    scrapePool,
    scrapeUrl,
    lastError,
    ...Object.entries(labels).map(([name, value]) => `${name}="${value}"`),
  ]
  return haystack.some((part) => part.toLowerCase().includes(wanted))
}
