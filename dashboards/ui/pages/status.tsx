// The server itself: what it runs on, what it holds, how it was told to be.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { formatValue } from '../../model/units.ts'
import { serverNotes, statusPart, type TsdbStatus } from '../api/prometheus.ts'
import { formatAgo, formatInstant } from '../shell/format.ts'
import { Filter, ListState, Page } from '../shell/page.tsx'
import { useLive } from '../state/live.ts'
import { route, setParams } from '../state/route.ts'
import { timeZone } from '../state/time.ts'
import { CardinalityView } from './cardinality.tsx'
import { QueriesView } from './running-queries.tsx'
import '../style/ops.css'

type Facts = Readonly<Record<string, unknown>>
/** Fields that Prometheus named after its own runtime. */
const NAMES: Readonly<Record<string, string>> = {
  CWD: 'Folder',
  goroutineCount: 'Threads',
  GOMAXPROCS: 'Processors',
  GOMEMLIMIT: 'Memory limit',
  goVersion: 'Runs on',
}
const TABS = {
  overview: 'Overview',
  cardinality: 'Cardinality',
  queries: 'Running queries',
  flags: 'Flags',
  config: 'Configuration',
} as const
type Tab = keyof typeof TABS

export function StatusPage(): JSX.Element {
  const asked = route.value.search.get('tab') ?? ''
  const tab: Tab = asked in TABS ? (asked as Tab) : 'overview'
  return (
    <Page
      title="Status"
      tools={
        <span class="chips" role="group" aria-label="Part">
          {(Object.keys(TABS) as Tab[]).map((name) => (
            <button
              key={name}
              type="button"
              class="chip"
              aria-pressed={tab === name}
              onClick={() => setParams({ tab: name === 'overview' ? undefined : name })}
            >
              {TABS[name]}
            </button>
          ))}
        </span>
      }
    >
      {tab === 'overview' && <Overview />}
      {tab === 'cardinality' && <CardinalityView />}
      {tab === 'queries' && <QueriesView />}
      {tab === 'flags' && <FlagsCard />}
      {tab === 'config' && <ConfigCard />}
    </Page>
  )
}

function Overview(): JSX.Element {
  const notes = useLive((abort) => serverNotes(abort), [])
  const runtime = useLive((abort) => statusPart<Facts>('runtimeinfo', abort), [])
  const build = useLive((abort) => statusPart<Facts>('buildinfo', abort), [], { live: false })
  const tsdb = useLive((abort) => statusPart<TsdbStatus>('tsdb', abort), [])
  return (
    <>
      {notes.data?.map(({ text, date }) => (
        <p key={text} class="notice notice-warn page-note">
          {text} <span class="dim">since {formatAgo(date)}</span>
        </p>
      ))}
      <div class="cards">
        <FactsCard title="Runtime" facts={runtime.data} error={runtime.error} />
        <div class="card-stack">
          <FactsCard title="Head of the store" facts={headFacts(tsdb.data)} error={tsdb.error} />
          <FactsCard title="Build" facts={build.data} error={build.error} />
        </div>
      </div>
    </>
  )
}

function ConfigCard(): JSX.Element {
  const config = useLive((abort) => statusPart<{ yaml: string }>('config', abort), [], { live: false })
  return (
    <section class="card" aria-labelledby="config-title">
      <h2 class="card-title" id="config-title">
        Configuration <span class="dim">as in force, secrets masked</span>
      </h2>
      {config.data === undefined ? (
        <ListState error={config.error} loading={config.loading} empty="" />
      ) : (
        <pre class="config" tabIndex={0}>
          {config.data.yaml}
        </pre>
      )}
    </section>
  )
}

function headFacts(status: TsdbStatus | undefined): Facts | undefined {
  const head = status?.headStats
  if (head === undefined) return undefined
  // An empty head has its bounds at the ends of the number range.
  const instant = (atMs: number) => (Math.abs(atMs) > 8.64e15 ? '–' : formatInstant(atMs, timeZone.value))
  return {
    series: formatValue(head.numSeries, 'none'),
    labelPairs: head.numLabelPairs === undefined ? '–' : formatValue(head.numLabelPairs, 'none'),
    chunks: formatValue(head.chunkCount, 'none'),
    oldestSample: instant(head.minTime),
    newestSample: instant(head.maxTime),
  }
}

function FactsCard({
  title,
  facts,
  error,
}: {
  title: string
  facts: Facts | undefined
  error: string | undefined
}): JSX.Element {
  return (
    <section class="card" aria-label={title}>
      <h2 class="card-title">{title}</h2>
      {facts === undefined ? (
        <ListState error={error} loading empty="" />
      ) : (
        <dl class="facts">
          {Object.entries(facts)
            .filter(([name, value]) => value !== '' && !(name === 'GOMEMLIMIT' && value === 0))
            .map(([name, value]) => (
              <div key={name}>
                <dt>{NAMES[name] ?? words(name)}</dt>
                <dd>{factText(value)}</dd>
              </div>
            ))}
        </dl>
      )}
    </section>
  )
}

function FlagsCard(): JSX.Element {
  const { data: flags, error } = useLive((abort) => statusPart<Readonly<Record<string, string>>>('flags', abort), [], {
    live: false,
  })
  const [text, setText] = useState('')
  const shown = Object.entries(flags ?? {}).filter(([name, value]) =>
    `${name} ${value}`.toLowerCase().includes(text.toLowerCase()),
  )
  return (
    <section class="card" aria-labelledby="flags-title">
      <h2 class="card-title" id="flags-title">
        Flags
        <Filter label="Filter flags" value={text} onInput={setText} />
      </h2>
      {flags === undefined ? (
        <ListState error={error} loading empty="" />
      ) : (
        <div class="table-scroll flags" tabIndex={0} role="group" aria-label="Flags">
          <table class="grid">
            <tbody>
              {shown.map(([name, value]) => (
                <tr key={name}>
                  <td>
                    <code>--{name}</code>
                  </td>
                  <td>
                    <code>{value}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}

/** `lastConfigTime` → `Last config time`; abbreviations stay together. */
function words(name: string): string {
  const spaced = name.replace(/([a-z])([A-Z])/g, '$1 $2').replace(/[._]/g, ' ')
  const lower = spaced.replace(/\b([A-Z])(?=[a-z])/g, (letter) => letter.toLowerCase())
  return lower.charAt(0).toUpperCase() + lower.slice(1)
}

function factText(value: unknown): string {
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value))
    return formatInstant(Date.parse(value), timeZone.peek())
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return String(value)
}
