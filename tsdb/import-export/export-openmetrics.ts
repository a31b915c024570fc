import {
  compareLabels,
  createMatcher,
  formatFloatGeneral,
  isLegacyLabelName,
  isLegacyMetricName,
  type Labels,
  labelsKey,
  labelValue,
  type Matcher,
  METRIC_NAME,
  type Querier,
  type SeriesColumn,
  type TimeRange,
} from '../../model/index.ts'
import { openReader } from '../read/reader.ts'
import type { Tsdb } from '../tsdb.ts'
import type { OnProgress, Selection } from './store-walk.ts'

const CHARACTERS_MAX = 32 << 20

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
  selection: Selection & {
    readonly onProgress?: OnProgress | undefined
    /** Of text that is held at a time. */
    readonly charactersMax?: number
  } = {},
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
      const ofMetric = sets.map((set) => [...set, named])
      for (const text of textsOf(querier, ofMetric, range, selection.charactersMax ?? CHARACTERS_MAX)) {
        samples += text.samples
        leftOut += text.leftOut
        await write(text.lines)
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

interface SeriesText {
  readonly lines: string
  readonly samples: number
  readonly leftOut: number
}

/**
 * The texts of all series that match, in the order of their labels. The store has an order of its own: what does not fit into
 * memory meanwhile is left to further passes over the series.
 */
function* textsOf(
  querier: Querier,
  sets: readonly (readonly Matcher[])[],
  range: TimeRange,
  charactersMax: number,
): Generator<SeriesText> {
  const sorted = querier.series(sets, range).sort(compareLabels)
  const places = new Map(sorted.map((labels, place) => [labelsKey(labels), place]))
  for (let from = 0, to = sorted.length; from < sorted.length; from = to, to = sorted.length) {
    const texts = new Map<number, SeriesText>()
    let characters = 0
    for (const column of columnsOf(querier, sets, range)) {
      const place = places.get(labelsKey(column.labels)) ?? -1
      if (place < from || place >= to || texts.has(place)) continue
      const text = columnText(column)
      texts.set(place, text)
      characters += text.lines.length
      while (characters > charactersMax && to > from + 1) {
        characters -= texts.get(--to)?.lines.length ?? 0
        texts.delete(to)
      }
    }
    for (let place = from; place < to; place++) {
      const text = texts.get(place)
      if (text !== undefined) yield text
    }
  }
}

function* columnsOf(
  querier: Querier,
  sets: readonly (readonly Matcher[])[],
  range: TimeRange,
): Generator<SeriesColumn> {
  for (const matchers of sets) yield* querier.select(matchers, range)
}

function columnText({ labels, timestampsMs, values, length, stale, histograms }: SeriesColumn): SeriesText {
  const series = seriesText(labels)
  const lines: string[] = []
  for (let i = 0; i < length; i++) {
    if (stale?.[i] === 1 || histograms?.[i] !== undefined) continue
    lines.push(`${series} ${formatFloatGeneral(values[i]!)} ${secondsText(timestampsMs[i]!)}\n`)
  }
  return { lines: lines.join(''), samples: lines.length, leftOut: length - lines.length }
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
