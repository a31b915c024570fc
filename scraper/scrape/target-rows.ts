import { LockstepMap, LockstepParam } from '../../kernels/index.ts'
import { invariant } from '../../lib/index.ts'
import {
  type Appendable,
  type ExpositionFormat,
  type GroupAppendable,
  type GroupWriter,
  type Labels,
  METRIC_NAME,
  type MetricMetadata,
  parseExposition,
  readMetadata,
  ROW_ENTRY_BYTES,
  SampleKind,
  withLabels,
} from '../../model/index.ts'
import type { RefusedSamples } from './external-samples.ts'
import { learnPage } from './learn-page.ts'
import { lineContext, settleEvents } from './line-events.ts'
import { droppedCount, freshCount, isAcceptable, isComparable, UnusualPageError } from './page-checks.ts'
import { PageLayout } from './page-layout.ts'
import type { LoadedPage, PageMemory, SetAside } from './page-memory.ts'
import { PositionStates } from './position-states.ts'
import { ReportSeriesWriter, type ScrapeReport } from './report-series.ts'
import { claimedPositions, SeriesPlaces } from './series-places.ts'
import { SideSamples } from './side-samples.ts'
import {
  AS_IT_IS,
  mustSplit,
  type PageFormat,
  splitClassicHistograms,
  splitClassicHistogramsInTurns,
  type SplitPage,
  splitProtobuf,
  splitProtobufInTurns,
} from './split-page.ts'
import { addEntry, addValue, orderedEntries, stageNew, stageNothing, stageSame, type StagedRow } from './staged-row.ts'
import { addCounts, checkSampleLimit, type PageCounts, type TargetRowsRules } from './target-rules.ts'

// A page with more new lines is learnt in slices, so that nobody else waits.
const NEW_LINES_MAX = 2000
// Of a target without a page before, this many bytes are new lines enough.
const NEW_BYTES_MAX = NEW_LINES_MAX * 64
// A longer page that must be taken apart is so in turns: in protobuf it takes some ten milliseconds a megabyte, as text far
// more, every time.
const SPLIT_AT_ONCE_BYTES = 100_000

export interface TargetRowsParts {
  readonly memory: PageMemory
  readonly store: GroupAppendable
  /** Takes samples that carry their own time (without it they get the scrape's), native histograms and exemplars. */
  readonly appendable: Appendable | undefined
}

/**
 * Turns the pages of one target into rows of its group. For each scrape `read` and then `write`, without a pause in between
 * but with `pause`, or `writeFailed`. The common case, a page that differs from the last one only in values, never leaves the kernel.
 */
export class TargetRows {
  /** Grows over time; whoever counts takes from it what it has not seen. */
  readonly refused: RefusedSamples = { outOfOrder: 0, duplicateTimestamp: 0, outOfBounds: 0 }
  readonly #parts: TargetRowsParts
  readonly #targetLabels: Labels
  readonly #layout: PageLayout
  readonly #states = new PositionStates()
  readonly #side: SideSamples
  readonly #places: SeriesPlaces
  readonly #report: ReportSeriesWriter
  #rules: TargetRowsRules
  #group: GroupWriter | undefined
  /** First position that is ours: a group that was taken over has older ones. */
  #basePosition = 0
  /** The next page's values are all sent: the row before does not hold them. */
  #sendAll = false
  #format: ExpositionFormat = 'text'
  #staged: StagedRow | undefined
  #aside: SetAside | undefined
  /** Of the last page, where it was taken apart. */
  #metadata: Map<string, MetricMetadata> | undefined
  #samplesKept = 0
  /** The page that was learnt, and how many series came up meanwhile. */
  #learnt: { readonly body: Uint8Array; readonly seriesAdded: number } | undefined
  /** A page that was taken apart in turns. */
  #prepared: { readonly body: Uint8Array; readonly split: SplitPage } | undefined

  constructor(parts: TargetRowsParts, targetLabels: Labels, rules: TargetRowsRules) {
    this.#parts = parts
    this.#targetLabels = targetLabels
    this.#rules = rules
    this.#layout = new PageLayout(parts.memory)
    this.#side = new SideSamples(parts.appendable, targetLabels, rules)
    this.#places = new SeriesPlaces({ targetLabels, states: this.#states, side: this.#side }, rules)
    this.#report = new ReportSeriesWriter(rules.extraScrapeMetrics)
  }

  /** Other rules for the same target: positions stay, every line of the next page is resolved anew. */
  changeRules(rules: TargetRowsRules): void {
    this.#rules = rules
    this.#prepared = undefined
    this.#side.changeRules(rules)
    this.#places.changeRules(rules)
    this.#layout.forgetLines()
  }

  /**
   * Understands a page; nothing is written yet. After an error the page before stays the one that the next is compared with.
   *
   * @param mayDefer where so many lines are new that it would take long, nothing is done: `learn` the page first
   * @returns `undefined` where it was deferred
   * @throws {ExpositionError} @throws {WireFormatError} @throws {ScrapeLimitError} @throws {SampleLimitError}
   */
  read(body: Uint8Array, format: PageFormat, mayDefer: true): PageCounts | undefined
  read(body: Uint8Array, format: PageFormat): PageCounts
  read(body: Uint8Array, format: PageFormat, mayDefer = false): PageCounts | undefined {
    const group = this.#openGroup()
    this.#discard()
    if (mustSplit(body, format, this.#rules)) {
      const split = this.#prepared?.body === body ? this.#prepared.split : undefined
      this.#prepared = undefined
      if (split === undefined && mayDefer && body.length > SPLIT_AT_ONCE_BYTES) return undefined
      return this.#readSplit(group, split ?? this.#split(body, format))
    }
    // `mustSplit` is true of every page in protobuf.
    return this.#readText(group, body, format as ExpositionFormat, mayDefer)
  }

  #readText(group: GroupWriter, body: Uint8Array, format: ExpositionFormat, mayDefer: boolean): PageCounts | undefined {
    if (mayDefer && this.#layout.lineCount === 0 && body.length > NEW_BYTES_MAX) return undefined
    this.#metadata = undefined
    try {
      return this.#readFloats(group, body, format, mayDefer)
    } catch (error) {
      if (!(error instanceof UnusualPageError)) throw error
      return this.#readSplit(group, splitClassicHistograms(body, format, AS_IT_IS))
    }
  }

  #split(body: Uint8Array, format: PageFormat): SplitPage {
    return format === 'protobuf' ? splitProtobuf(body, this.#rules) : splitClassicHistograms(body, format, this.#rules)
  }

  #readSplit(group: GroupWriter, split: SplitPage): PageCounts {
    this.#metadata = split.metadata
    try {
      const extra = this.#side.stageSplit(split)
      const counts = addCounts(this.#readFloats(group, split.body, 'text', false)!, extra)
      checkSampleLimit(counts, this.#rules.sampleLimit)
      return counts
    } catch (error) {
      this.#discard()
      throw error
    }
  }

  /**
   * Finds out what each line of a page with many new lines means, a slice at a time, and takes a long page apart where that is
   * needed; nothing is written. `read` the page then.
   *
   * @param body does not change meanwhile
   * @param isStopped asked between slices: true gives up
   * @throws as `read`
   */
  async learn(body: Uint8Array, format: PageFormat, isStopped: () => boolean): Promise<void> {
    if (!mustSplit(body, format, this.#rules)) return this.#learnText(body, format as ExpositionFormat, isStopped)
    const split =
      format === 'protobuf'
        ? await splitProtobufInTurns(body, this.#rules, isStopped)
        : await splitClassicHistogramsInTurns(body, format, this.#rules, isStopped)
    if (split === undefined) return
    const mayBeKnown = this.#layout.lineCount > 0 || split.body.length <= NEW_BYTES_MAX
    const isKnown = mayBeKnown && this.#readFloats(this.#openGroup(), split.body, 'text', true) !== undefined
    this.#discard()
    if (!isKnown) await this.#learnText(split.body, 'text', isStopped)
    this.#prepared = { body, split }
  }

  async #learnText(body: Uint8Array, format: ExpositionFormat, isStopped: () => boolean): Promise<void> {
    const { sampleLimit } = this.#rules
    const parts = { memory: this.#parts.memory, group: this.#openGroup(), places: this.#places, side: this.#side }
    const learnt = await learnPage({ ...parts, sampleLimit }, body, format, isStopped)
    if (learnt === undefined) return
    this.#layout.adopt(learnt.layout)
    this.#learnt = { body, seriesAdded: learnt.seriesAdded }
    this.#sendAll = true
  }

  #readFloats(
    group: GroupWriter,
    body: Uint8Array,
    format: ExpositionFormat,
    mayDefer: boolean,
  ): PageCounts | undefined {
    const { memory } = this.#parts
    const page = body === this.#learnt?.body ? this.#layout.lendPage() : memory.loadPage(body)
    try {
      const mayCompare = !this.#sendAll && format === this.#format
      const same = mayCompare && this.#layout.compare(page, group.positionCount)
      if (same && settleEvents(memory, body, format) !== undefined) {
        this.#staged = stageSame(memory, page)
        return { samplesScraped: this.#layout.lineCount, samplesKept: this.#samplesKept, seriesAdded: 0 }
      }
      const counts = this.#readNewLayout(group, page, body, format, mayDefer)
      if (counts === undefined) memory.freePage(page)
      return counts
    } catch (error) {
      memory.freePage(page)
      this.#side.discard()
      throw error
    }
  }

  /** The page has been read; before its row is written others may have their turns. */
  pause(): void {
    this.#aside = this.#parts.memory.setAside()
  }

  /**
   * Writes the row of the page read last.
   *
   * @returns resolves when samples with times of their own are stored too; `undefined` = there are none
   * @throws {OutOfOrderSampleError} when time went backwards: the row is lost, the next one states everything again
   */
  write(timestampMs: number, report: ScrapeReport): Promise<void> | undefined {
    const staged = this.#staged
    invariant(staged?.page, 'a page was read before its row is written')
    this.#staged = undefined
    if (this.#aside) this.#parts.memory.takeUp(this.#aside)
    this.#aside = undefined
    if (staged.lineCount === undefined) this.#layout.acceptSame(staged.page)
    else this.#layout.acceptNew(staged.page, staged.lineCount, staged.comparable)
    if (staged.claimed) this.#settle(staged, staged.claimed)
    else if (this.#states.hasStale) {
      this.#states.clearStale(this.#positionCount, (position, kind) => void this.#addEntry(staged, position, kind))
    }
    this.refused.duplicateTimestamp += this.#places.duplicateCount
    this.#sendAll = false
    return this.#writeRow(timestampMs, staged, report)
  }

  /** A scrape without a usable page: everything the target had goes stale, only the report stays. */
  writeFailed(timestampMs: number, report: ScrapeReport): Promise<void> | undefined {
    this.#openGroup()
    this.#discard()
    const staged = this.#stageAllStale()
    return this.#writeRow(timestampMs, staged, report)
  }

  /**
   * The target is gone for good: all of its series go stale, those about the scrape too, and the group is closed.
   *
   * @returns as `write`
   */
  end(timestampMs: number): Promise<void> | undefined {
    let ended: Promise<void> | undefined
    if (this.#group) {
      this.#discard()
      const staged = this.#stageAllStale()
      for (let i = 0; i < this.#report.count; i++) this.#addEntry(staged, this.#basePosition + i, SampleKind.STALE)
      this.#send(timestampMs, staged, 0)
      ended = this.#side.end(timestampMs, this.refused)
    }
    this.close()
    return ended
  }

  /** Lets go of the memory and the group, without stale markers. */
  close(): void {
    this.#prepared = undefined
    this.#discard()
    this.#group?.close()
    this.#group = undefined
    this.#layout.free()
  }

  /** What the last good page said about its families. */
  metadata(): Map<string, MetricMetadata> {
    return this.#metadata ?? readMetadata(this.#layout.pageCopy(), this.#format)
  }

  #openGroup(): GroupWriter {
    if (this.#group) return this.#group
    const group = this.#parts.store.openGroup(this.#targetLabels)
    this.#group = group
    const held = group.positionCount
    const labels = this.#report.labels()
    this.#basePosition = group.addSeries(labels)
    this.#states.grow(group.positionCount)
    // What a former owner of the group left behind is not ours to continue.
    this.#states.inherit(held)
    for (const [i, one] of labels.entries()) {
      this.#places.add(withLabels(this.#targetLabels, [[METRIC_NAME, one[1]!]]), this.#basePosition + i)
    }
    return group
  }

  #discard(): void {
    const { memory } = this.#parts
    if (this.#staged?.page) memory.freePage(this.#staged.page)
    if (this.#aside) memory.freeAside(this.#aside)
    this.#staged = undefined
    this.#aside = undefined
    this.#side.discard()
  }

  #readNewLayout(
    group: GroupWriter,
    page: LoadedPage,
    body: Uint8Array,
    format: ExpositionFormat,
    mayDefer: boolean,
  ): PageCounts | undefined {
    const { memory } = this.#parts
    // What is wrong is the general parser's business to say.
    if (!isAcceptable(body, format)) parseExposition(body, format, {})
    const lineCount = this.#layout.rematch(page, this.#sendAll, group.positionCount)
    if (mayDefer && memory.params[LockstepParam.EVENT_COUNT]! > NEW_LINES_MAX && freshCount(memory) > NEW_LINES_MAX) {
      return undefined
    }
    const context = lineContext()
    const settled = lineCount < 0 ? undefined : settleEvents(memory, body, format, context)
    const loose = format === 'openmetrics' && !context.sawEnd ? undefined : settled
    if (loose === undefined) {
      parseExposition(body, format, {})
      throw new UnusualPageError()
    }
    const mapAt = memory.params[LockstepParam.NEW_MAP]! / 4
    const map = memory.words.subarray(mapAt, mapAt + lineCount)
    const resolved = this.#places.resolve(loose, map)
    const samplesKept = lineCount - droppedCount(map)
    const counts = { samplesScraped: lineCount, samplesKept, seriesAdded: 0 }
    checkSampleLimit(counts, this.#rules.sampleLimit)

    const allFound = memory.params[LockstepParam.MATCHED_COUNT] === this.#layout.lineCount
    const unchanged = allFound && resolved.length === 0 && !this.#states.hasStale && !this.#sendAll
    const claimed = unchanged ? undefined : claimedPositions(map, group.positionCount + resolved.length)
    const seriesAdded = claimed === undefined ? 0 : this.#places.place(group, resolved, map, claimed)
    const staged = stageNew(memory, { page, lineCount, comparable: isComparable(loose), claimed })
    for (const { line, sample } of loose) {
      if (map[line]! >= 0) addValue(memory, staged, map[line]!, sample.value)
      if (sample.exemplar && map[line] !== LockstepMap.DROPPED) this.#side.stageExemplar(sample, sample.exemplar)
    }
    this.#staged = staged
    this.#format = format
    this.#samplesKept = samplesKept
    const learnt = this.#learnt
    this.#learnt = undefined
    return { ...counts, seriesAdded: seriesAdded + (learnt?.seriesAdded ?? 0) }
  }

  #stageAllStale(): StagedRow {
    const staged = stageNothing(this.#parts.memory, this.#positionCount)
    this.#settle(staged, NOTHING_CLAIMED)
    this.#sendAll = true
    return staged
  }

  #settle(staged: StagedRow, claimed: Uint8Array): void {
    const emit = (position: number, kind: SampleKind): void => void this.#addEntry(staged, position, kind)
    this.#states.settle(this.#positionCount, claimed, this.#isReport, emit)
  }

  #addEntry(staged: StagedRow, position: number, kind: SampleKind): void {
    addEntry(this.#parts.memory, staged, position, kind)
  }

  get #positionCount(): number {
    return this.#group?.positionCount ?? 0
  }

  readonly #isReport = (position: number): boolean =>
    position >= this.#basePosition && position < this.#basePosition + this.#report.count

  readonly #isShadowed = (position: number): boolean => this.#states.isLive(position)

  #writeRow(timestampMs: number, staged: StagedRow, report: ScrapeReport): Promise<void> | undefined {
    const { words, params } = this.#parts.memory
    const endAt = params[LockstepParam.ENTRIES]!
    const front = this.#report.write(words, endAt, this.#basePosition, report, this.#isShadowed)
    try {
      this.#send(timestampMs, staged, front)
    } catch (error) {
      this.#sendAll = true
      this.#report.forget()
      this.#side.discard()
      throw error
    }
    return this.#side.flush(timestampMs, this.refused)
  }

  #send(timestampMs: number, staged: StagedRow, front: number): void {
    const { memory } = this.#parts
    const frontEnd = this.#basePosition + this.#report.count
    const { at, count } = orderedEntries(memory, staged, { front, frontEnd, positionCount: this.#positionCount })
    this.#group!.writeRow(timestampMs, memory.bytes.subarray(at, at + count * ROW_ENTRY_BYTES), count)
  }
}

const NOTHING_CLAIMED = new Uint8Array(0)
