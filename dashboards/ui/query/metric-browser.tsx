// Every metric there is, with type, help and how many series it has; opened, what its labels are and how many values they take.
import type { JSX } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import type { MetricMetadata } from '../../model/recognise.ts'
import { labelValues, metadata, series } from '../api/prometheus.ts'
import { seriesCounts } from '../api/queries.ts'
import { Dialog } from '../shell/dialog.tsx'
import { useLive } from '../state/live.ts'

const ROWS_MAX = 200
const SERIES_MAX = 2000
const VALUES_SHOWN = 4
const TEXT_MAX = 200

interface Metric {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly seriesCount: number
}

interface Props {
  onPick: (name: string) => void
  onClose: () => void
}

export function MetricBrowser({ onPick, onClose }: Props): JSX.Element {
  const [wanted, setWanted] = useState('')
  const [opened, setOpened] = useState<string | undefined>(undefined)
  const { data, error } = useLive(loadMetrics, [], { live: false })
  const found = useMemo(() => matching(data ?? [], wanted), [data, wanted])
  return (
    <Dialog title="Metrics" onClose={onClose}>
      <input
        type="search"
        class="plain-input"
        aria-label="Search metrics"
        placeholder="Words of the name or the help, in any order"
        value={wanted}
        autofocus
        onInput={(event) => setWanted(event.currentTarget.value)}
      />
      <p class="stats" role="status">
        {error ?? (data === undefined ? 'Loading…' : `${found.length} of ${data.length} metrics, largest first`)}
      </p>
      <div class="table-scroll metric-list" tabIndex={0} role="group" aria-label="Metrics found">
        <table class="grid">
          <thead>
            <tr>
              <th scope="col">Metric</th>
              <th scope="col">Type</th>
              <th scope="col" class="num">
                Series
              </th>
              <th scope="col">
                <span class="sr-only">Labels</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {found.slice(0, ROWS_MAX).map((metric) => (
              <MetricRow
                key={metric.name}
                metric={metric}
                isOpen={metric.name === opened}
                onPick={() => onPick(metric.name)}
                onOpen={() => setOpened(metric.name === opened ? undefined : metric.name)}
              />
            ))}
          </tbody>
        </table>
        {found.length > ROWS_MAX && <p class="more">{`and ${found.length - ROWS_MAX} more: narrow the search`}</p>}
      </div>
    </Dialog>
  )
}

interface RowProps {
  metric: Metric
  isOpen: boolean
  onPick: () => void
  onOpen: () => void
}

function MetricRow({ metric: { name, type, help, seriesCount }, isOpen, onPick, onOpen }: RowProps): JSX.Element {
  return (
    <tr>
      <td>
        <button type="button" class="metric-pick mono" onClick={onPick}>
          {name.slice(0, TEXT_MAX)}
        </button>
        {help !== '' && <div class="metric-help">{help.slice(0, TEXT_MAX)}</div>}
        {isOpen && <LabelList metric={name} />}
      </td>
      <td>{type}</td>
      <td class="num">{seriesCount}</td>
      <td>
        <button
          type="button"
          class="link-button"
          aria-expanded={isOpen}
          aria-label={`Labels of ${name.slice(0, TEXT_MAX)}`}
          onClick={onOpen}
        >
          Labels
        </button>
      </td>
    </tr>
  )
}

function LabelList({ metric }: { metric: string }): JSX.Element {
  const { data, error } = useLive((abort) => series(`{${JSON.stringify(metric)}}`, abort, SERIES_MAX), [metric], {
    live: false,
  })
  if (data === undefined) return <p class="metric-help">{error ?? 'Looking…'}</p>
  const values = new Map<string, Set<string>>()
  for (const labels of data) {
    for (const [name, value] of Object.entries(labels)) {
      if (name !== '__name__') values.set(name, (values.get(name) ?? new Set()).add(value))
    }
  }
  const ordered = [...values].sort((a, b) => b[1].size - a[1].size)
  if (ordered.length === 0) return <p class="metric-help">No labels.</p>
  return (
    <ul class="metric-labels">
      {ordered.map(([name, all]) => (
        <li key={name}>
          <span class="token-label mono">{name.slice(0, TEXT_MAX)}</span>
          {` ${all.size}${data.length === SERIES_MAX ? ' or more' : ''}: `}
          <span class="dim">
            {[...all]
              .slice(0, VALUES_SHOWN)
              .map((value) => value.slice(0, 60))
              .join(', ')}
            {all.size > VALUES_SHOWN && ', …'}
          </span>
        </li>
      ))}
    </ul>
  )
}

async function loadMetrics(abort: AbortSignal): Promise<readonly Metric[]> {
  const [names, known, counts] = await Promise.all([
    labelValues('__name__', undefined, abort),
    metadata(abort),
    seriesCounts(abort),
  ])
  const countOf = new Map(counts.map(({ name, value }) => [name, value]))
  return names
    .map((name) => {
      const { type = '', help = '' } = metadataOf(known, name) ?? {}
      return { name, type, help, seriesCount: countOf.get(name) ?? 0 }
    })
    .sort((a, b) => b.seriesCount - a.seriesCount || (a.name < b.name ? -1 : 1))
}

/** The parts of a histogram or summary are described under the family's name. */
function metadataOf(
  known: Readonly<Record<string, readonly MetricMetadata[]>>,
  name: string,
): MetricMetadata | undefined {
  return (Object.hasOwn(known, name) ? known[name] : known[name.replace(/_(?:bucket|count|sum|total)$/, '')])?.[0]
}

function matching(metrics: readonly Metric[], wanted: string): readonly Metric[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return metrics
  return metrics.filter(({ name, help }) => {
    const text = `${name} ${help}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}
