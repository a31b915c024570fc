import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { formatValue } from '../../model/units.ts'
import { type NameCount, statusPart, type TsdbStatus } from '../api/prometheus.ts'
import { formatInstant } from '../shell/format.ts'
import { Filter, ListState, Page } from '../shell/page.tsx'
import { useLive } from '../state/live.ts'
import { timeZone } from '../state/time.ts'

type Facts = Readonly<Record<string, unknown>>

export function StatusPage(): JSX.Element {
  const runtime = useLive((abort) => statusPart<Facts>('runtimeinfo', abort), [])
  const build = useLive((abort) => statusPart<Facts>('buildinfo', abort), [], { live: false })
  const tsdb = useLive((abort) => statusPart<TsdbStatus>('tsdb', abort), [])
  const flags = useLive((abort) => statusPart<Readonly<Record<string, string>>>('flags', abort), [], { live: false })
  const config = useLive((abort) => statusPart<{ yaml: string }>('config', abort), [], { live: false })
  return (
    <Page title="Status">
      <div class="cards">
        <FactsCard title="Runtime" facts={runtime.data} error={runtime.error} />
        <FactsCard title="Build" facts={build.data} error={build.error} />
        <FactsCard title="Head of the store" facts={headFacts(tsdb.data)} error={tsdb.error} />
      </div>
      {tsdb.data !== undefined && (
        <div class="cards">
          <CountsCard title="Series by metric" rows={tsdb.data.seriesCountByMetricName} />
          <CountsCard title="Series by label pair" rows={tsdb.data.seriesCountByLabelValuePair} />
          <CountsCard title="Values by label" rows={tsdb.data.labelValueCountByLabelName} />
          <CountsCard title="Memory by label" rows={tsdb.data.memoryInBytesByLabelName} unit="bytes" />
        </div>
      )}
      <FlagsCard flags={flags.data} error={flags.error} />
      <section class="card" aria-labelledby="config-title">
        <h2 class="card-title" id="config-title">
          Configuration
        </h2>
        {config.data === undefined ? (
          <ListState error={config.error} loading={config.loading} empty="" />
        ) : (
          <pre class="config" tabIndex={0}>
            {config.data.yaml}
          </pre>
        )}
      </section>
    </Page>
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
            .filter(([, value]) => value !== '')
            .map(([name, value]) => (
              <div key={name}>
                <dt>{words(name)}</dt>
                <dd>{factText(value)}</dd>
              </div>
            ))}
        </dl>
      )}
    </section>
  )
}

function CountsCard({
  title,
  rows,
  unit = 'none',
}: {
  title: string
  rows: readonly NameCount[] | undefined
  unit?: string
}): JSX.Element | null {
  if (rows === undefined || rows.length === 0) return null
  const largest = Math.max(...rows.map(({ value }) => value), 1)
  return (
    <section class="card" aria-label={title}>
      <h2 class="card-title">{title}</h2>
      <ul class="bars">
        {rows.map(({ name, value }) => (
          <li key={name} class="bar">
            <span class="bar-name" title={name}>
              {name}
            </span>
            <span class="bar-value num">{formatValue(value, unit)}</span>
            <span class="bar-track" aria-hidden="true">
              <span class="bar-fill" style={{ width: `${(value / largest) * 100}%` }} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function FlagsCard({
  flags,
  error,
}: {
  flags: Readonly<Record<string, string>> | undefined
  error: string | undefined
}): JSX.Element {
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
