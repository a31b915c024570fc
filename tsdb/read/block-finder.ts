import type { Matcher, ResolutionUse, TimeRange } from '../../model/index.ts'
import type { BlockReader } from '../block/block-reader.ts'
import type { BlockMeta } from '../block/meta.ts'
import type { Scratch } from '../memory/scratch.ts'
import { LimitedSource } from './limited-source.ts'
import type { GroupSource } from './piece.ts'
import type { SourceFinder } from './querier.ts'
import { sectionView, type SummaryView, tierView, uncovered, type Wanted } from './summary-view.ts'

/** Opens blocks, and knows what was deleted in them. */
export interface SectionOpener {
  /** What is opened from now on is looked at together. */
  startSelect(): void
  open(ulid: string, section: 'data' | 'sum'): BlockReader
  hideDeleted(sources: GroupSource[], meta: BlockMeta, scratch: Scratch): GroupSource[]
  hasDeleted(meta: BlockMeta): boolean
}

/** Finds series in blocks: in their samples, in the `sum` sections of these, and in blocks of summaries where there are no samples. */
export class BlockFinder implements SourceFinder {
  readonly #samples: readonly BlockMeta[]
  readonly #tiers: readonly BlockMeta[]
  readonly #opener: SectionOpener
  readonly #findHeadRanges: () => readonly TimeRange[]
  /** Found when a block first needs them: a head of many targets has as many. */
  #headRanges: readonly TimeRange[] | undefined
  readonly #uses: ResolutionUse[] = []

  /** @param metas oldest first @param findHeadRanges what times the head has samples of */
  constructor(metas: readonly BlockMeta[], opener: SectionOpener, findHeadRanges: () => readonly TimeRange[]) {
    this.#samples = metas.filter(({ resolution }) => resolution === undefined)
    this.#tiers = metas.filter(({ resolution }) => resolution !== undefined)
    this.#opener = opener
    this.#findHeadRanges = findHeadRanges
  }

  find(matchers: readonly Matcher[], wanted: Wanted, scratch: Scratch): GroupSource[] {
    this.#opener.startSelect()
    const found = this.#samples
      .filter((meta) => meta.maxTime > wanted.minTimeMs && meta.minTime <= wanted.maxTimeMs)
      .flatMap((meta) => this.#findInSamples(meta, matchers, wanted, scratch))
    return this.#tiers.length === 0 ? found : [...this.#findInTiers(matchers, wanted, scratch), ...found]
  }

  /** By resolution and time; what touches is one. */
  resolutions(): readonly ResolutionUse[] {
    const joined: ResolutionUse[] = []
    const sorted = this.#uses.toSorted(
      (a, b) => a.resolutionMs - b.resolutionMs || Number(b.isUsed) - Number(a.isUsed) || a.minTimeMs - b.minTimeMs,
    )
    for (const use of sorted) {
      const last = joined.at(-1)
      const isSame = last?.resolutionMs === use.resolutionMs && last.isUsed === use.isUsed
      if (!isSame || use.minTimeMs > last.maxTimeMs + 1) joined.push(use)
      else joined[joined.length - 1] = { ...last, maxTimeMs: Math.max(last.maxTimeMs, use.maxTimeMs) }
    }
    return joined
  }

  #findInSamples(meta: BlockMeta, matchers: readonly Matcher[], wanted: Wanted, scratch: Scratch): GroupSource[] {
    const { summary } = meta
    const section = summary !== undefined && !this.#opener.hasDeleted(meta) && sectionView(wanted, summary, meta)
    const samples = (): GroupSource[] => this.#opener.open(meta.ulid, 'data').find(matchers, wanted, scratch)
    if (!section || !this.#isAlone(meta, section.whole)) return this.#opener.hideDeleted(samples(), meta, scratch)
    const rest = uncovered({ minTimeMs: wanted.minTimeMs, maxTimeMs: wanted.maxTimeMs }, [section.whole])
    const isTouched = rest.some((range) => range.maxTimeMs >= meta.minTime && range.minTimeMs < meta.maxTime)
    const all = isTouched ? samples() : []
    const left = all.flatMap((source) => LimitedSource.of(source, rest))
    // Columns are unpacked as a whole: where most of them must be, what they hold is at hand.
    if (2 * left.length > all.length) return all
    const part = { resolutionMs: summary!, ranges: [section.whole], isThin: false, reachBackMs: 0 }
    const sums = this.#opener.open(meta.ulid, 'sum')
    return [...left, ...this.#findSummaries(sums, section.view, part, matchers, wanted, scratch)]
  }

  /** Where two have a sample of one time, one of them counts. Summaries cannot tell which of theirs do not. */
  #isAlone(meta: BlockMeta, range: TimeRange): boolean {
    this.#headRanges ??= this.#findHeadRanges()
    return (
      !this.#headRanges.some((other) => overlaps(other, range)) &&
      !this.#samples.some((other) => other !== meta && overlaps(rangeOf(other), range))
    )
  }

  /** The coarsest that will do, in times of which there are no samples. */
  #findInTiers(matchers: readonly Matcher[], wanted: Wanted, scratch: Scratch): GroupSource[] {
    if (wanted.windows === undefined && wanted.labelsOnly !== true) return []
    const covered = this.#samples.map(rangeOf)
    const sources: GroupSource[] = []
    const missed: BlockMeta[] = []
    const coarsestFirst = [...this.#tiers].sort((a, b) => b.resolution! - a.resolution! || a.minTime - b.minTime)
    for (const meta of coarsestFirst) {
      const resolutionMs = meta.resolution!
      const view = wanted.labelsOnly === true ? SAMPLES_ONLY : tierView(wanted, resolutionMs)
      if (view === undefined) {
        missed.push(meta)
        continue
      }
      const reachBackMs = wanted.windows?.rangeMs === 0 ? resolutionMs : 0
      const reaching = { ...wanted, minTimeMs: wanted.minTimeMs - reachBackMs }
      const ranges = uncovered(rangeOf(meta), covered).filter((range) => overlaps(range, reaching))
      if (ranges.length === 0) continue
      covered.push(rangeOf(meta))
      const part = { resolutionMs, ranges, isThin: view.isThin, reachBackMs }
      const found = this.#findSummaries(this.#opener.open(meta.ulid, 'data'), view, part, matchers, reaching, scratch)
      sources.push(...this.#opener.hideDeleted(found, meta, scratch))
      if (wanted.labelsOnly !== true) for (const range of ranges) this.#note(range, reaching, resolutionMs, true)
    }
    for (const meta of missed) {
      for (const range of uncovered(rangeOf(meta), covered)) this.#note(range, wanted, meta.resolution!, false)
    }
    return sources
  }

  #findSummaries(
    block: BlockReader,
    { kind, side, isThin }: SummaryView,
    part: { resolutionMs: number; ranges: readonly TimeRange[]; isThin: boolean; reachBackMs: number },
    matchers: readonly Matcher[],
    wanted: Wanted,
    scratch: Scratch,
  ): GroupSource[] {
    const summaries = block
      .find(matchers, wanted, scratch, kind)
      .flatMap((source) => LimitedSource.of(source, part.ranges, { ...part, side: undefined, isThin }))
    if (side === undefined) return summaries
    const beside = block
      .find(matchers, wanted, scratch, side.kind)
      .flatMap((source) => LimitedSource.of(source, part.ranges, { ...part, side: side.as, isThin }))
    return [...summaries, ...beside]
  }

  #note(range: TimeRange, wanted: TimeRange, resolutionMs: number, isUsed: boolean): void {
    if (!overlaps(range, wanted)) return
    const minTimeMs = Math.max(range.minTimeMs, wanted.minTimeMs)
    const maxTimeMs = Math.min(range.maxTimeMs, wanted.maxTimeMs)
    this.#uses.push({ minTimeMs, maxTimeMs, resolutionMs, isUsed })
  }
}

const SAMPLES_ONLY: SummaryView = { kind: undefined, side: undefined, isThin: false }

const rangeOf = ({ minTime, maxTime }: BlockMeta): TimeRange => ({ minTimeMs: minTime, maxTimeMs: maxTime - 1 })

const overlaps = (a: TimeRange, b: TimeRange): boolean => a.minTimeMs <= b.maxTimeMs && a.maxTimeMs >= b.minTimeMs
