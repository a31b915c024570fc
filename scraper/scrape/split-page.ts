import {
  type ClientHistogram,
  type ClientMetric,
  type ClientMetricFamily,
  decodeMetricFamilies,
  type Exemplar,
  type ExpositionFormat,
  ExpositionReader,
  type ExpositionSample,
  formatFloatPlain,
  formatSampleValue,
  type Labels,
  labelsKey,
  labelValue,
  METRIC_NAME,
  type MetricMetadata,
  normalizeBucketBound,
  parseGoFloat,
  withLabels,
} from '../../model/index.ts'
import type { NativeHistogram } from '../../model/index.ts'
import { customHistogram } from './histogram-buckets.ts'
import { PageText } from './page-text.ts'
import { TextCreated } from './text-created.ts'

/** What a target's page is written in. */
export type PageFormat = ExpositionFormat | 'protobuf'

export interface HistogramRules {
  readonly scrapeNativeHistograms: boolean
  readonly convertClassicHistograms: boolean
  readonly alwaysScrapeClassicHistograms: boolean
  /** Wants to know since when series count; `_created` lines are not stored then. */
  readonly createdZeros?: boolean | undefined
}

/** With its name, sorted; names of labels with an empty value apart, as in a text page. */
export interface SplitLabels {
  readonly labels: Labels
  readonly emptyLabels: readonly string[]
  readonly timestampMs: number | undefined
}

export interface HistogramSample extends SplitLabels {
  readonly histogram: NativeHistogram
}

/** A series that says since when it counts. */
export interface CreatedSample extends SplitLabels {
  readonly createdMs: number
  /** What it counts in, where that is a native histogram. */
  readonly histogram: NativeHistogram | undefined
}

export interface ExemplarSample extends SplitLabels {
  readonly exemplar: Exemplar
}

/** A page taken apart: floats as a text page, for the same treatment as any other, the rest as data. */
export interface SplitPage {
  readonly body: Uint8Array
  readonly histograms: readonly HistogramSample[]
  readonly exemplars: readonly ExemplarSample[]
  /** Empty unless asked for. */
  readonly created: readonly CreatedSample[]
  readonly metadata: Map<string, MetricMetadata>
}

const NO_NAMES: readonly string[] = []
// A turn ends with whichever comes first.
const TURN_MS = 5
const TURN_PARTS = 20
const METRICS_PER_PART = 100
const LINES_PER_PART = 100

/** Classic histograms are series like any other. */
export const AS_IT_IS: HistogramRules = {
  scrapeNativeHistograms: false,
  convertClassicHistograms: false,
  alwaysScrapeClassicHistograms: false,
}

/** Whether a page is more than floats to us, as its format or the rules say. */
export function mustSplit(
  body: Uint8Array,
  format: PageFormat,
  rules: { readonly convertClassicHistograms: boolean; readonly createdZeros?: boolean | undefined },
): boolean {
  if (format === 'protobuf' || rules.convertClassicHistograms) return true
  if (!rules.createdZeros || format !== 'openmetrics') return false
  return Buffer.from(body.buffer, body.byteOffset, body.length).includes('_created')
}

/** @throws {WireFormatError} */
export function splitProtobuf(body: Uint8Array, rules: HistogramRules): SplitPage {
  const splitter = new Splitter(rules)
  for (const family of decodeMetricFamilies(body)) splitter.family(family)
  return splitter.finish()
}

/**
 * As `splitProtobuf`, with turns for others in between.
 *
 * @param isStopped asked at each turn: true gives up
 * @returns `undefined` where it gave up
 */
export async function splitProtobufInTurns(
  body: Uint8Array,
  rules: HistogramRules,
  isStopped: () => boolean,
): Promise<SplitPage | undefined> {
  return inTurns(new Splitter(rules), isStopped, function* (splitter) {
    for (const family of decodeMetricFamilies(body, METRICS_PER_PART)) yield splitter.family(family)
  })
}

/** Takes classic histograms out of a text page. @throws {ExpositionError} */
export function splitClassicHistograms(body: Uint8Array, format: ExpositionFormat, rules: HistogramRules): SplitPage {
  const splitter = new Splitter(rules)
  readerFor(splitter, body, format).read(Number.POSITIVE_INFINITY)
  for (const one of splitter.gathered) splitter.convert(one)
  return splitter.finish()
}

/** As `splitClassicHistograms`, with turns for others in between; parameters and result as of `splitProtobufInTurns`. */
export async function splitClassicHistogramsInTurns(
  body: Uint8Array,
  format: ExpositionFormat,
  rules: HistogramRules,
  isStopped: () => boolean,
): Promise<SplitPage | undefined> {
  return inTurns(new Splitter(rules), isStopped, function* (splitter) {
    const reader = readerFor(splitter, body, format)
    while (reader.read(LINES_PER_PART)) yield
    for (const one of splitter.gathered) yield splitter.convert(one)
  })
}

const readerFor = (splitter: Splitter, body: Uint8Array, format: ExpositionFormat): ExpositionReader =>
  new ExpositionReader(body, format, {
    metadata(line) {
      splitter.describe(line.name, line.kind === 'type' ? { type: line.type } : { [line.kind]: line.text })
    },
    sample: (sample) => splitter.textSample(sample),
  })

/** @param parts does the work, pausing where a turn may end */
async function inTurns(
  splitter: Splitter,
  isStopped: () => boolean,
  parts: (splitter: Splitter) => Iterable<void>,
): Promise<SplitPage | undefined> {
  let turnEndsAt = performance.now() + TURN_MS
  let partCount = 0
  for (const _ of parts(splitter)) {
    if (++partCount < TURN_PARTS && performance.now() < turnEndsAt) continue
    partCount = 0
    splitter.settle()
    await new Promise<void>((resolve) => setImmediate(resolve))
    if (isStopped()) return undefined
    turnEndsAt = performance.now() + TURN_MS
  }
  return splitter.finish()
}

/** Lines of one classic histogram of a text page, gathered under its labels without `le`. */
interface Gathered extends SplitLabels {
  readonly buckets: { upperBound: number; cumulativeCount: number }[]
  readonly exemplars: Exemplar[]
  count: number | undefined
  sum: number | undefined
}

class Splitter {
  readonly #rules: HistogramRules
  readonly #text = new PageText()
  readonly #histograms: HistogramSample[] = []
  readonly #exemplars: ExemplarSample[] = []
  readonly #created: CreatedSample[] = []
  readonly #textCreated: TextCreated | undefined
  readonly #metadata = new Map<string, MetricMetadata>()
  readonly #gathered = new Map<string, Gathered>()

  constructor(rules: HistogramRules) {
    this.#rules = rules
    this.#textCreated = rules.createdZeros ? new TextCreated() : undefined
  }

  describe(name: string, part: Partial<MetricMetadata>): void {
    const held = this.#metadata.get(name)
    this.#metadata.set(name, { type: 'unknown', help: '', unit: '', ...held, ...part })
  }

  /** Call between parts of a long page. */
  settle(): void {
    this.#text.settle()
  }

  /** Of a text page that is read to its end: `convert` each. */
  get gathered(): Iterable<Gathered> {
    return this.#gathered.values()
  }

  convert({ buckets, exemplars, count, sum, ...of }: Gathered): void {
    const histogram = customHistogram({ buckets, count, sum: sum ?? 0 })
    if (histogram) this.#addHistogram(of, histogram, exemplars)
  }

  finish(): SplitPage {
    return {
      body: this.#text.finish(),
      histograms: this.#histograms,
      exemplars: this.#exemplars,
      created: this.#textCreated ? [...this.#created, ...this.#textCreated.samples()] : this.#created,
      metadata: this.#metadata,
    }
  }

  // ---- protobuf

  family({ name, type, help, unit, metrics }: ClientMetricFamily): void {
    this.#metadata.set(name, { type, help, unit })
    for (const metric of metrics) {
      if (metric.histogram) this.#histogram(name, metric, metric.histogram)
      else if (metric.summary) {
        const { quantiles, sum, count } = metric.summary
        this.#float(name, metric, '_count', count)
        this.#float(name, metric, '_sum', sum)
        for (const { quantile, value } of quantiles) {
          this.#float(name, metric, '', value, ['quantile', boundText(quantile)])
        }
      } else if (metric.value !== undefined) {
        this.#float(name, metric, '', metric.value, undefined, metric.exemplar)
      }
    }
  }

  #histogram(name: string, metric: ClientMetric, classic: ClientHistogram): void {
    const { scrapeNativeHistograms, convertClassicHistograms, alwaysScrapeClassicHistograms } = this.#rules
    const native = scrapeNativeHistograms ? classic.native : undefined
    const isConverted = native === undefined && convertClassicHistograms && classic.buckets.length > 0
    const custom = isConverted ? customHistogram(classic) : undefined
    const histogram = native ?? custom
    if (histogram) {
      const own = native ? classic.exemplars : []
      const exemplars = own.length > 0 ? own : classic.buckets.flatMap(({ exemplar }) => exemplar ?? [])
      const labels = withLabels(metric.labels, [[METRIC_NAME, name]])
      // Of several exemplars of one series only those with a time of their own can be told apart.
      const timed = exemplars.filter(({ timestampMs }) => timestampMs !== undefined)
      const of = { labels, emptyLabels: NO_NAMES, timestampMs: metric.timestampMs }
      this.#addHistogram(of, histogram, timed)
      const { createdMs } = metric
      if (createdMs !== undefined && this.#rules.createdZeros) this.#created.push({ ...of, createdMs, histogram })
    }
    const isPureNative = classic.buckets.length === 0
    if (histogram === undefined || (alwaysScrapeClassicHistograms && !(native && isPureNative))) {
      this.#classic(name, metric, classic)
    }
  }

  #classic(name: string, metric: ClientMetric, { buckets, count, sum }: ClientHistogram): void {
    this.#float(name, metric, '_count', count)
    this.#float(name, metric, '_sum', sum)
    let hasInfinity = false
    for (const { upperBound, cumulativeCount, exemplar } of buckets) {
      hasInfinity ||= upperBound === Number.POSITIVE_INFINITY
      this.#float(name, metric, '_bucket', cumulativeCount, ['le', boundText(upperBound)], exemplar)
    }
    if (!hasInfinity) this.#float(name, metric, '_bucket', count, ['le', '+Inf'])
  }

  #float(
    family: string,
    { labels, timestampMs, createdMs }: ClientMetric,
    suffix: string,
    value: number,
    extra?: readonly [string, string],
    exemplar?: Exemplar,
  ): void {
    const name: readonly [string, string] = [METRIC_NAME, family + suffix]
    const full = withLabels(labels, extra ? [name, extra] : [name])
    this.#text.add(full, NO_NAMES, value, timestampMs)
    const of = { labels: full, emptyLabels: NO_NAMES, timestampMs }
    if (exemplar) this.#exemplars.push({ ...of, exemplar })
    if (createdMs !== undefined && this.#rules.createdZeros) {
      this.#created.push({ ...of, createdMs, histogram: undefined })
    }
  }

  // ---- text

  textSample(sample: ExpositionSample): void {
    const { labels, emptyLabels, timestampMs, value, exemplar } = sample
    if (this.#textCreated?.take(sample, this.#metadata)) return
    const isGathered = this.#rules.convertClassicHistograms && this.#gather(sample)
    if (isGathered && !this.#rules.alwaysScrapeClassicHistograms) return
    this.#text.add(labels, emptyLabels, value, timestampMs)
    if (exemplar) this.#exemplars.push({ labels, emptyLabels, timestampMs, exemplar })
  }

  /** Whether the line belongs to a histogram. */
  #gather({ labels, emptyLabels, timestampMs, value, exemplar }: ExpositionSample): boolean {
    const [, base, suffix] = /^(.+)(_bucket|_sum|_count)$/.exec(labelValue(labels, METRIC_NAME)) ?? []
    if (base === undefined || this.#metadata.get(base)?.type !== 'histogram') return false
    const bound = suffix === '_bucket' ? parseGoFloat(labelValue(labels, 'le')) : undefined
    if (suffix === '_bucket' && bound === undefined) return false
    const own = withLabels(labels, [
      [METRIC_NAME, base],
      ['le', ''],
    ])
    const key = `${labelsKey(own)}\0${timestampMs ?? ''}`
    let held = this.#gathered.get(key)
    if (!held) {
      held = { labels: own, emptyLabels, timestampMs, buckets: [], exemplars: [], count: undefined, sum: undefined }
      this.#gathered.set(key, held)
    }
    if (suffix === '_sum') held.sum = value
    else if (suffix === '_count') held.count = value
    else held.buckets.push({ upperBound: bound!, cumulativeCount: value })
    if (exemplar) held.exemplars.push(exemplar)
    return true
  }

  #addHistogram(of: SplitLabels, histogram: NativeHistogram, exemplars: readonly Exemplar[]): void {
    this.#histograms.push({ ...of, histogram })
    for (const exemplar of exemplars) this.#exemplars.push({ ...of, exemplar })
  }
}

const boundText = (bound: number): string =>
  normalizeBucketBound(Number.isFinite(bound) ? formatFloatPlain(bound) : formatSampleValue(bound))
