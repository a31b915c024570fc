import {
  compareLabels,
  createMatcher,
  formatFloatGeneral,
  isLegacyLabelName,
  isLegacyMetricName,
  type Labels,
  labelValue,
  type Matcher,
  METRIC_NAME,
  type SeriesColumn,
} from '../../model/index.ts'
import { openReader } from '../read/reader.ts'
import type { Tsdb } from '../tsdb.ts'
import type { OnProgress, Selection } from './store-walk.ts'

export interface OpenMetricsSummary {
  readonly samples: number
  /** Histograms and staleness markers: the text has no place for them. */
  readonly leftOut: number
}

/**
 * Writes samples as OpenMetrics text, metric by metric, series by series.
 *
 * @param write gets pieces of the text; resolves when it can take more
 */
export async function exportOpenMetrics(
  store: Tsdb,
  write: (text: string) => Promise<void> | void,
  selection: Selection & { readonly onProgress?: OnProgress | undefined } = {},
): Promise<OpenMetricsSummary> {
  const minTimeMs = selection.minTimeMs ?? Number.MIN_SAFE_INTEGER
  const range = { minTimeMs, maxTimeMs: selection.maxTimeMs ?? Number.MAX_SAFE_INTEGER }
  const sets: readonly (readonly Matcher[])[] = selection.matcherSets?.length ? selection.matcherSets : [[]]
  const { handle, detach } = store.attachReader()
  const reader = openReader(handle)
  const querier = reader.querier(range)
  let samples = 0
  let leftOut = 0
  try {
    const metrics = querier.labelValues(METRIC_NAME, sets, range)
    for (const [i, metric] of metrics.entries()) {
      selection.onProgress?.(i, metrics.length)
      await write(`# TYPE ${isLegacyMetricName(metric) ? metric : quote(metric)} unknown\n`)
      const named = createMatcher('=', METRIC_NAME, metric)
      for (const labels of sortedUnique(
        querier.series(
          sets.map((set) => [...set, named]),
          range,
        ),
      )) {
        for (const column of querier.select(exactly(labels), range)) {
          if (compareLabels(column.labels, labels) !== 0) continue
          const text = columnText(column)
          samples += text.samples
          leftOut += column.length - text.samples
          await write(text.lines)
        }
      }
    }
    await write('# EOF\n')
    selection.onProgress?.(metrics.length, metrics.length)
  } finally {
    querier.close()
    reader.close()
    detach()
  }
  return { samples, leftOut }
}

function exactly(labels: Labels): Matcher[] {
  const matchers: Matcher[] = []
  for (let i = 0; i < labels.length; i += 2) matchers.push(createMatcher('=', labels[i]!, labels[i + 1]!))
  return matchers
}

function sortedUnique(all: readonly Labels[]): Labels[] {
  const sorted = [...all].sort(compareLabels)
  return sorted.filter((labels, i) => i === 0 || compareLabels(sorted[i - 1]!, labels) !== 0)
}

function columnText({ labels, timestampsMs, values, length, stale, histograms }: SeriesColumn): {
  lines: string
  samples: number
} {
  const series = seriesText(labels)
  const lines: string[] = []
  for (let i = 0; i < length; i++) {
    if (stale?.[i] === 1 || histograms?.[i] !== undefined) continue
    lines.push(`${series} ${formatFloatGeneral(values[i]!)} ${secondsText(timestampsMs[i]!)}\n`)
  }
  return { lines: lines.join(''), samples: lines.length }
}

/** Milliseconds as decimal seconds, exactly. */
function secondsText(timestampMs: number): string {
  const size = Math.abs(timestampMs)
  const fraction = size % 1000
  const text = String(Math.floor(size / 1000)) + (fraction === 0 ? '' : `.${String(fraction).padStart(3, '0')}`)
  return timestampMs < 0 ? `-${text}` : text
}

function seriesText(labels: Labels): string {
  const name = labelValue(labels, METRIC_NAME)
  const isPlain = isLegacyMetricName(name)
  const parts = isPlain ? [] : [quote(name)]
  for (let i = 0; i < labels.length; i += 2) {
    const label = labels[i]!
    if (label !== METRIC_NAME) parts.push(`${isLegacyLabelName(label) ? label : quote(label)}=${quote(labels[i + 1]!)}`)
  }
  return parts.length === 0 ? name : `${isPlain ? name : ''}{${parts.join(',')}}`
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' }
const quote = (text: string): string => `"${text.replace(/[\\"\n]/g, (c) => ESCAPES[c]!)}"`
