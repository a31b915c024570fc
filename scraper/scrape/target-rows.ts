import { LockstepMap, LockstepParam } from '../../kernels/index.ts'
import { invariant } from '../../lib/index.ts'
import {
  type Appendable,
  ExpositionError,
  type ExpositionFormat,
  type ExpositionSample,
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
import { CreatedZeros } from './created-zeros.ts'
import { ExternalSamples, type RefusedSamples } from './external-samples.ts'
import { ExtraSamples } from './extra-samples.ts'
import { limitHistogram } from './histogram-buckets.ts'
import { KnownLabels } from './known-labels.ts'
import { LabelIndex } from './label-index.ts'
import { LayoutDraft, sliceEnd } from './layout-draft.ts'
import { lineContext, type LooseLine, settleEvents, writeRawPayload } from './line-events.ts'
import { droppedCount, freshCount, isAcceptable, isComparable, sliceFault } from './page-checks.ts'
import { type LoadedPage, PageLayout } from './page-layout.ts'
import type { PageMemory } from './page-memory.ts'
import { PositionStates } from './position-states.ts'
import { ReportSeriesWriter, type ScrapeReport } from './report-series.ts'
import { labelsOverTarget, seriesLabels } from './series-labels.ts'
import {
  type HistogramRules,
  type PageFormat,
  splitClassicHistograms,
  type SplitPage,
  splitProtobuf,
  splitProtobufInTurns,
} from './split-page.ts'
import { addCounts, checkSampleLimit, type PageCounts, type TargetRowsRules } from './target-rules.ts'

// A page with more new lines is learnt in slices, so that nobody else waits. A slice takes a few milliseconds: it is made
// smaller where the machine is slow.
const NEW_LINES_MAX = 2000
const SLICE_LINES = 1000
const SLICE_LINES_FIRST = 250
const SLICE_LINES_MIN = 100
const SLICE_MS_MAX = 5
// Of a target without a page before, this many bytes are new lines enough.
const NEW_BYTES_MAX = NEW_LINES_MAX * 64
// A longer page in protobuf is taken apart in turns: it takes some ten milliseconds a megabyte, every time.
const PROTOBUF_AT_ONCE_BYTES = 100_000

export interface TargetRowsParts {
  readonly memory: PageMemory
  readonly store: GroupAppendable
  /** Takes samples that carry their own time (without it they get the scrape's), native histograms and exemplars. */
  readonly appendable: Appendable | undefined
}

/** Entries of the row to come, in the memory's scratch, and the page they came from. */
interface Staged {
  readonly page: LoadedPage | undefined
  /** Lines of a page of new layout, `undefined` where only values changed. */
  readonly lineCount: number | undefined
  readonly comparable: boolean
  /** By position, 1 where a line of the page owns it; `undefined` where nothing came or went. */
  readonly claimed: Uint8Array | undefined
  entryCount: number
  ordered: boolean
}

interface ResolvedLine {
  readonly line: number
  readonly sample: ExpositionSample
  /** Full labels; `undefined`: dropped by relabelling. */
  readonly labels: Labels | undefined
}

/**
 * Turns the pages of one target into rows of its group. For each scrape `read` and then `write`, without a pause in between,
 * or `writeFailed`. The common case, a page that differs from the last one only in values, never leaves the kernel.
 */
export class TargetRows {
  /** Grows over time; whoever counts takes from it what it has not seen. */
  readonly refused: RefusedSamples = { outOfOrder: 0, duplicateTimestamp: 0, outOfBounds: 0 }
  readonly #parts: TargetRowsParts
  readonly #targetLabels: Labels
  readonly #layout: PageLayout
  readonly #positions = new LabelIndex()
  readonly #states = new PositionStates()
  readonly #externals: ExternalSamples | undefined
  readonly #extras: ExtraSamples | undefined
  readonly #zeros: CreatedZeros | undefined
  readonly #known: KnownLabels
  readonly #report: ReportSeriesWriter
  #rules: TargetRowsRules
  #group: GroupWriter | undefined
  /** First position that is ours: a group that was taken over has older ones. */
  #basePosition = 0
  /** The next page's values are all sent: the row before does not hold them. */
  #sendAll = false
  #format: ExpositionFormat = 'text'
  #staged: Staged | undefined
  /** Of the last page, where it was taken apart. */
  #metadata: Map<string, MetricMetadata> | undefined
  #samplesKept = 0
  #duplicateCount = 0
  /** Series that came up while the page was learnt. */
  #learntCount = 0
  /** A page in protobuf that was taken apart in turns. */
  #prepared: { readonly body: Uint8Array; readonly split: SplitPage } | undefined

  constructor(parts: TargetRowsParts, targetLabels: Labels, rules: TargetRowsRules) {
    this.#parts = parts
    this.#targetLabels = targetLabels
    this.#rules = rules
    this.#layout = new PageLayout(parts.memory)
    this.#externals = parts.appendable && new ExternalSamples(parts.appendable)
    this.#extras = parts.appendable && new ExtraSamples(parts.appendable)
    this.#zeros = parts.appendable && new CreatedZeros(parts.appendable)
    this.#known = new KnownLabels(targetLabels)
    this.#report = new ReportSeriesWriter(rules.extraScrapeMetrics)
  }

  /** Other rules for the same target: positions stay, every line of the next page is resolved anew. */
  changeRules(rules: TargetRowsRules): void {
    this.#rules = rules
    this.#prepared = undefined
    this.#known.clear()
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
    if (format === 'protobuf') return this.#readProtobuf(group, body, mayDefer)
    if (this.#rules.convertClassicHistograms || this.#saysCreated(body, format)) {
      return this.#readSplit(group, splitClassicHistograms(body, format, this.#rules))
    }
    if (mayDefer && this.#layout.lineCount === 0 && body.length > NEW_BYTES_MAX) return undefined
    this.#metadata = undefined
    try {
      return this.#readFloats(group, body, format, mayDefer)
    } catch (error) {
      if (!(error instanceof UnusualPageError)) throw error
      return this.#readSplit(group, splitClassicHistograms(body, format, AS_IT_IS))
    }
  }

  #readProtobuf(group: GroupWriter, body: Uint8Array, mayDefer: boolean): PageCounts | undefined {
    const split = this.#prepared?.body === body ? this.#prepared.split : undefined
    this.#prepared = undefined
    if (split === undefined && mayDefer && body.length > PROTOBUF_AT_ONCE_BYTES) return undefined
    return this.#readSplit(group, split ?? splitProtobuf(body, this.#rules))
  }

  #saysCreated(body: Uint8Array, format: ExpositionFormat): boolean {
    if (!this.#rules.createdZeros || format !== 'openmetrics') return false
    return Buffer.from(body.buffer, body.byteOffset, body.length).includes('_created')
  }

  #readSplit(group: GroupWriter, split: SplitPage): PageCounts {
    this.#metadata = split.metadata
    try {
      const extra = this.#stageSplit(split)
      const counts = addCounts(this.#readFloats(group, split.body, 'text', false)!, extra)
      checkSampleLimit(counts, this.#rules.sampleLimit)
      return counts
    } catch (error) {
      this.#discard()
      throw error
    }
  }

  /**
   * Finds out what each line of a page with many new lines means, a slice at a time, and takes a long page in protobuf apart;
   * nothing is written. `read` the page then.
   *
   * @param body does not change meanwhile
   * @param isStopped asked between slices: true gives up
   * @throws as `read`
   */
  async learn(body: Uint8Array, format: PageFormat, isStopped: () => boolean): Promise<void> {
    if (format !== 'protobuf') return this.#learnText(body, format, isStopped)
    const split = await splitProtobufInTurns(body, this.#rules, isStopped)
    if (split === undefined) return
    const mayBeKnown = this.#layout.lineCount > 0 || split.body.length <= NEW_BYTES_MAX
    const isKnown = mayBeKnown && this.#readFloats(this.#openGroup(), split.body, 'text', true) !== undefined
    this.#discard()
    if (!isKnown) await this.#learnText(split.body, 'text', isStopped)
    this.#prepared = { body, split }
  }

  async #learnText(body: Uint8Array, format: ExpositionFormat, isStopped: () => boolean): Promise<void> {
    if (!isAcceptable(body, format)) return
    const { memory } = this.#parts
    const group = this.#openGroup()
    const page = memory.loadPage(body)
    const lineCountMax = memory.kernel.countLines(page.region.at, page.length)
    const draft = new LayoutDraft(memory, lineCountMax)
    const progress = {
      context: lineContext(),
      claimed: new Uint8Array(group.positionCount + lineCountMax),
      lineNumber: 0,
      counts: { samplesScraped: 0, samplesKept: 0, seriesAdded: 0 },
    }
    let isAdopted = false
    try {
      // The page itself was work enough for one turn.
      await nextTurn()
      if (isStopped()) return
      let sliceLines = SLICE_LINES_FIRST
      for (let start = 0; start < body.length; ) {
        const startedAt = performance.now()
        const end = sliceEnd(body, start, sliceLines)
        this.#learnSlice(group, draft, body.subarray(start, end), format, progress)
        start = end
        const isSlow = performance.now() - startedAt > SLICE_MS_MAX
        sliceLines = isSlow ? Math.max(SLICE_LINES_MIN, sliceLines >> 1) : Math.min(SLICE_LINES, sliceLines * 2)
        await nextTurn()
        if (isStopped()) return
      }
      checkSampleLimit(progress.counts, this.#rules.sampleLimit)
      if (format === 'openmetrics' && !progress.context.sawEnd) {
        throw new ExpositionError(progress.lineNumber + 1, 'data does not end with # EOF')
      }
      this.#layout.adopt(draft.finish(page))
      isAdopted = true
      this.#learntCount = progress.counts.seriesAdded
      this.#sendAll = true
    } catch (error) {
      // `read` knows what to do.
      if (!(error instanceof UnusualPageError)) throw error
    } finally {
      draft.close()
      if (!isAdopted) memory.free(page.region)
    }
  }

  #learnSlice(
    group: GroupWriter,
    draft: LayoutDraft,
    body: Uint8Array,
    format: ExpositionFormat,
    progress: LearnProgress,
  ): void {
    const { memory } = this.#parts
    const slice = memory.loadPage(body)
    try {
      const lineCount = draft.scan(slice)
      const loose = lineCount < 0 ? undefined : settleEvents(memory, body, format, progress.context)
      if (loose === undefined) throw sliceFault(body, format, progress.lineNumber) ?? new UnusualPageError()
      const mapAt = memory.params[LockstepParam.NEW_MAP]! / 4
      const map = memory.words.subarray(mapAt, mapAt + lineCount)
      const resolved = this.#resolve(loose, map)
      const { counts } = progress
      counts.samplesScraped += lineCount
      counts.samplesKept += lineCount - droppedCount(map)
      const { sampleLimit } = this.#rules
      // Beyond the limit it only counts: what will not be stored needs no place.
      if (sampleLimit === 0 || counts.samplesKept <= sampleLimit) {
        counts.seriesAdded += this.#place(group, resolved, map, progress.claimed)
        draft.append(slice, lineCount, isComparable(loose))
      }
      progress.lineNumber += memory.kernel.countLines(slice.region.at, slice.length)
    } finally {
      this.#externals?.discard()
      memory.free(slice.region)
    }
  }

  /** @throws {ScrapeLimitError} */
  #stageSplit(split: SplitPage): PageCounts {
    const extras = this.#extras
    const counts = { samplesScraped: split.histograms.length, samplesKept: 0, seriesAdded: 0 }
    const { histogramBucketLimit, histogramSchemaMax } = this.#rules
    for (const sample of split.histograms) {
      const labels = this.#known.of(sample, this.#rules)
      if (labels === undefined) continue
      counts.samplesKept++
      const histogram = limitHistogram(sample.histogram, histogramBucketLimit, histogramSchemaMax)
      if (extras?.stageHistogram(labels, this.#timeOf(sample), histogram)) counts.seriesAdded++
    }
    if (!extras) return counts
    for (const sample of split.created) {
      const labels = this.#known.of(sample, this.#rules)
      if (labels) this.#zeros?.stage({ labels, createdMs: sample.createdMs, histogram: sample.histogram })
    }
    for (const sample of split.exemplars) {
      const labels = this.#known.of(sample, this.#rules)
      if (labels) extras.stageExemplar(labels, this.#timeOf(sample), sample.exemplar)
    }
    return counts
  }

  #timeOf({ timestampMs }: { readonly timestampMs: number | undefined }): number | undefined {
    return this.#rules.honorTimestamps ? timestampMs : undefined
  }

  #readFloats(
    group: GroupWriter,
    body: Uint8Array,
    format: ExpositionFormat,
    mayDefer: boolean,
  ): PageCounts | undefined {
    const { memory } = this.#parts
    const page = memory.loadPage(body)
    try {
      const mayCompare = !this.#sendAll && format === this.#format
      const same = mayCompare && this.#layout.compare(page, group.positionCount)
      if (same && settleEvents(memory, body, format) !== undefined) {
        this.#staged = this.#stage({ page })
        return { samplesScraped: this.#layout.lineCount, samplesKept: this.#samplesKept, seriesAdded: 0 }
      }
      const counts = this.#readNewLayout(group, page, body, format, mayDefer)
      if (counts === undefined) memory.free(page.region)
      return counts
    } catch (error) {
      memory.free(page.region)
      this.#externals?.discard()
      throw error
    }
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
    if (staged.lineCount === undefined) this.#layout.acceptSame(staged.page)
    else this.#layout.acceptNew(staged.page, staged.lineCount, staged.comparable)
    const emit = (position: number, kind: SampleKind): void => void this.#addEntry(staged, position, kind)
    if (staged.claimed) this.#states.settle(this.#positionCount, staged.claimed, this.#isReport, emit)
    else if (this.#states.hasStale) this.#states.clearStale(this.#positionCount, emit)
    this.refused.duplicateTimestamp += this.#duplicateCount
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
      ended = this.#extras?.flush(timestampMs, false, this.refused)
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
      this.#positions.add(withLabels(this.#targetLabels, [[METRIC_NAME, one[1]!]]), this.#basePosition + i)
    }
    return group
  }

  #discard(): void {
    if (this.#staged?.page) this.#parts.memory.free(this.#staged.page.region)
    this.#staged = undefined
    this.#externals?.discard()
    this.#extras?.discard()
    this.#zeros?.discard()
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
    const resolved = this.#resolve(loose, map)
    const samplesKept = lineCount - droppedCount(map)
    const counts = { samplesScraped: lineCount, samplesKept, seriesAdded: 0 }
    checkSampleLimit(counts, this.#rules.sampleLimit)

    const allFound = memory.params[LockstepParam.MATCHED_COUNT] === this.#layout.lineCount
    const unchanged = allFound && resolved.length === 0 && !this.#states.hasStale && !this.#sendAll
    const claimed = unchanged ? undefined : this.#claim(map, group.positionCount + resolved.length)
    const seriesAdded = claimed === undefined ? 0 : this.#place(group, resolved, map, claimed)
    const staged = this.#stage({ page, lineCount, comparable: isComparable(loose), claimed })
    for (const { line, sample } of loose) {
      if (map[line]! >= 0) this.#addValue(staged, map[line]!, sample.value)
      if (sample.exemplar && map[line] !== LockstepMap.DROPPED) this.#stageExemplar(sample)
    }
    this.#staged = staged
    this.#format = format
    this.#samplesKept = samplesKept
    const learnt = this.#learntCount
    this.#learntCount = 0
    return { ...counts, seriesAdded: seriesAdded + learnt }
  }

  #stageExemplar(sample: ExpositionSample): void {
    const labels = this.#extras && this.#known.of(sample, this.#rules)
    if (labels) this.#extras?.stageExemplar(labels, this.#timeOf(sample), sample.exemplar!)
  }

  /** Finds out the labels of new lines, marks those that are dropped, stages samples of known external series. */
  #resolve(loose: readonly LooseLine[], map: Int32Array): ResolvedLine[] {
    const resolved: ResolvedLine[] = []
    for (const { line, fresh, sample } of loose) {
      const known = fresh ? LockstepMap.FRESH : map[line]!
      if (known <= LockstepMap.EXTERNAL_LAST) {
        this.#externals?.stage(LockstepMap.EXTERNAL_LAST - known, sample.timestampMs, sample.value)
      } else if (known === LockstepMap.FRESH || (known >= 0 && this.#isExternal(sample))) {
        const labels = seriesLabels(sample.labels, sample.emptyLabels, this.#targetLabels, this.#rules)
        map[line] = labels === undefined ? LockstepMap.DROPPED : LockstepMap.FRESH
        if (labels) resolved.push({ line, sample, labels })
      }
    }
    return resolved
  }

  #isExternal(sample: ExpositionSample): boolean {
    return sample.timestampMs !== undefined && this.#rules.honorTimestamps && this.#externals !== undefined
  }

  #claim(map: Int32Array, positionCountMax: number): Uint8Array {
    const claimed = new Uint8Array(positionCountMax)
    for (let i = 0; i < map.length; i++) if (map[i]! >= 0) claimed[map[i]!] = 1
    return claimed
  }

  /** Gives new lines their positions; of lines with the same labels the first wins. Returns how many series came up. */
  #place(group: GroupWriter, resolved: readonly ResolvedLine[], map: Int32Array, claimed: Uint8Array): number {
    const added: Labels[] = []
    const firstAdded = group.positionCount
    let cameUp = 0
    this.#duplicateCount = 0
    for (const { line, sample, labels } of resolved) {
      if (labels === undefined) continue
      if (this.#isExternal(sample) && this.#externals) {
        const slot = this.#externals.slotOf(labels)
        this.#externals.stage(slot, sample.timestampMs, sample.value)
        map[line] = LockstepMap.EXTERNAL_LAST - slot
        continue
      }
      let position = this.#positions.find(labels)
      if (position < 0) {
        position = firstAdded + added.length
        added.push(labelsOverTarget(labels, this.#targetLabels))
        this.#positions.add(labels, position)
      }
      if (claimed[position] === 1) {
        this.#duplicateCount++
        // A line known from the page before may stand further down, under another spelling.
        const owner = map.indexOf(position)
        map[Math.max(owner, line)] = LockstepMap.DUPLICATE
        if (line < owner) map[line] = position
        continue
      }
      claimed[position] = 1
      map[line] = position
      if (!this.#states.isLive(position)) cameUp++
    }
    if (added.length > 0) group.addSeries(added)
    this.#states.grow(group.positionCount)
    return cameUp
  }

  #stage(of: {
    page?: LoadedPage
    lineCount?: number
    comparable?: boolean
    claimed?: Uint8Array | undefined
  }): Staged {
    const { params } = this.#parts.memory
    return {
      page: of.page,
      lineCount: of.lineCount,
      comparable: of.comparable ?? true,
      claimed: of.claimed,
      entryCount: params[LockstepParam.ENTRY_COUNT]!,
      ordered: params[LockstepParam.ORDERED] === 1,
    }
  }

  #stageAllStale(): Staged {
    const { memory } = this.#parts
    memory.prepareOutput(0, this.#positionCount)
    memory.params[LockstepParam.ENTRY_COUNT] = 0
    const staged = this.#stage({})
    this.#states.settle(this.#positionCount, new Uint8Array(0), this.#isReport, (position, kind) =>
      this.#addEntry(staged, position, kind),
    )
    this.#sendAll = true
    return staged
  }

  get #positionCount(): number {
    return this.#group?.positionCount ?? 0
  }

  readonly #isReport = (position: number): boolean =>
    position >= this.#basePosition && position < this.#basePosition + this.#report.count

  #addValue(staged: Staged, position: number, value: number): void {
    const { memory } = this.#parts
    const whole = Number.isSafeInteger(value) && !Object.is(value, -0)
    const at = this.#addEntry(staged, position, whole ? SampleKind.DECIMAL : SampleKind.RAW)
    if (!whole) return writeRawPayload(memory, at, value)
    memory.words[at / 4 + 2] = value
    memory.words[at / 4 + 3] = Math.floor(value / 2 ** 32)
  }

  /** Room was made for an entry per line and one per position. Returns the entry's address. */
  #addEntry(staged: Staged, position: number, kind: SampleKind): number {
    const { memory } = this.#parts
    const at = memory.params[LockstepParam.ENTRIES]! + staged.entryCount * ROW_ENTRY_BYTES
    memory.words.fill(0, at / 4, at / 4 + 4)
    memory.words[at / 4] = position
    memory.words[at / 4 + 1] = kind
    staged.entryCount++
    staged.ordered = false
    return at
  }

  #writeRow(timestampMs: number, staged: Staged, report: ScrapeReport): Promise<void> | undefined {
    const { memory } = this.#parts
    const endAt = memory.params[LockstepParam.ENTRIES]!
    const shadowed = (position: number): boolean => this.#states.isLive(position)
    const front = this.#report.write(memory.words, endAt, this.#basePosition, report, shadowed)
    try {
      this.#send(timestampMs, staged, front)
    } catch (error) {
      this.#sendAll = true
      this.#report.forget()
      this.#externals?.discard()
      this.#extras?.discard()
      throw error
    }
    const { trackTimestampsStaleness } = this.#rules
    const storing = [
      // Before the others: a series' samples come in the order of their times.
      this.#zeros?.flush(timestampMs),
      this.#externals?.flush(timestampMs, trackTimestampsStaleness, this.refused),
      this.#extras?.flush(timestampMs, trackTimestampsStaleness, this.refused),
    ].filter((flushed) => flushed !== undefined)
    return storing.length > 1 ? Promise.all(storing).then(() => undefined) : storing[0]
  }

  #send(timestampMs: number, staged: Staged, front: number): void {
    const { memory } = this.#parts
    let count = staged.entryCount + front
    let at = memory.params[LockstepParam.ENTRIES]! - front * ROW_ENTRY_BYTES
    // Kernel entries ascend on their own, but a series named like one of the report's would stand behind the front.
    if (
      !staged.ordered ||
      memory.words[(at + front * ROW_ENTRY_BYTES) / 4]! < this.#basePosition + this.#report.count
    ) {
      const slots = memory.scratch('slots', this.#positionCount * 4)
      const sorted = memory.scratch('sorted', count * ROW_ENTRY_BYTES)
      count = memory.kernel.order(at, count, slots, this.#positionCount, sorted)
      at = sorted
    }
    this.#group!.writeRow(timestampMs, memory.bytes.subarray(at, at + count * ROW_ENTRY_BYTES), count)
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

interface LearnProgress {
  readonly context: ReturnType<typeof lineContext>
  readonly claimed: Uint8Array
  /** Lines of any kind before the slice. */
  lineNumber: number
  readonly counts: { samplesScraped: number; samplesKept: number; seriesAdded: number }
}

/** The general parser takes a page that the kernel does not: no blank before a value, say. It is written anew then. */
class UnusualPageError extends Error {}
const AS_IT_IS: HistogramRules = {
  scrapeNativeHistograms: false,
  convertClassicHistograms: false,
  alwaysScrapeClassicHistograms: false,
}
