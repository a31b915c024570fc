import type { JSX } from 'preact'
import { formatValue } from '../../model/units.ts'
import { droppedTargets, type Target, targets as loadTargets } from '../api/prometheus.ts'
import { formatAgo } from '../shell/format.ts'
import { Icon } from '../shell/icons.tsx'
import { Labels } from '../shell/labels.tsx'
import { Filter, ListState, Page } from '../shell/page.tsx'
import { useLive } from '../state/live.ts'
import { route, setParams } from '../state/route.ts'
import { RelabelSteps, TargetDetail } from './target-detail.tsx'
import '../style/ops.css'

const HEALTHS = ['all', 'up', 'down', 'unknown'] as const
const DROPPED_MAX = 200

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
            <button
              type="button"
              class="chip"
              aria-pressed={health === 'dropped'}
              onClick={() => setParams({ health: 'dropped' }, { replace: true })}
            >
              dropped
            </button>
          </span>
          <Filter
            label="Filter by label, address or error"
            value={filter}
            onInput={(text) => setParams({ search: text === '' ? undefined : text }, { replace: true })}
          />
        </>
      }
    >
      {health === 'dropped' && <Dropped filter={filter} />}
      {shown.length === 0 && health !== 'dropped' && (
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
  const { health, scrapeUrl, labels, lastError, lastScrape, lastScrapeDuration, scrapeInterval } = target
  const key = targetKey(target)
  const open = route.value.search.get('target') === key
  return (
    <>
      <tr>
        <td>
          <span class={`state-tag state-${health}`}>{health}</span>
        </td>
        <td class="endpoint">
          <button
            type="button"
            class="endpoint-button"
            aria-expanded={open}
            title="How it got its labels"
            onClick={() => setParams({ target: open ? undefined : key }, { replace: true })}
          >
            {scrapeUrl}
          </button>
          {/^https?:\/\/(?!belltower:)/.test(scrapeUrl) && (
            <a class="endpoint-link" href={scrapeUrl} rel="noreferrer" target="_blank" aria-label={`Open ${scrapeUrl}`}>
              <Icon name="external" />
            </a>
          )}
          {lastError !== '' && <p class="row-error">{lastError}</p>}
        </td>
        <td>
          <Labels labels={labels} />
        </td>
        <td class="num">{formatAgo(lastScrape)}</td>
        <td class="num">{formatValue(lastScrapeDuration, 's')}</td>
        <td class="num">{scrapeInterval ?? ''}</td>
      </tr>
      {open && (
        <tr>
          <td colSpan={6}>
            <TargetDetail target={target} />
          </td>
        </tr>
      )}
    </>
  )
}

const targetKey = ({ scrapePool, scrapeUrl }: Target): string => `${scrapePool} ${scrapeUrl}`

/** What was found and not taken, and the rule that said so. */
function Dropped({ filter }: { filter: string }): JSX.Element {
  const { data, error, loading } = useLive((abort) => droppedTargets(abort), [])
  const shown = (data?.droppedTargets ?? []).filter(({ discoveredLabels }) =>
    JSON.stringify(discoveredLabels).toLowerCase().includes(filter.toLowerCase()),
  )
  if (shown.length === 0)
    return <ListState error={error} loading={loading && data === undefined} empty="No target is dropped." />
  return (
    <>
      {shown.slice(0, DROPPED_MAX).map(({ discoveredLabels, scrapePool }) => (
        <details key={JSON.stringify(discoveredLabels)} class="card dropped">
          <summary>
            {scrapePool ?? discoveredLabels.job ?? ''} <span class="dim">{discoveredLabels.__address__}</span>
          </summary>
          <RelabelSteps pool={scrapePool ?? discoveredLabels.job ?? ''} discovered={discoveredLabels} />
        </details>
      ))}
    </>
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
