import { LockstepParam } from '../../kernels/index.ts'
import { ExpositionError, type ExpositionFormat, type GroupWriter } from '../../model/index.ts'
import { LayoutDraft, sliceEnd } from './layout-draft.ts'
import { lineContext, settleEvents } from './line-events.ts'
import { droppedCount, isAcceptable, isComparable, sliceFault, UnusualPageError } from './page-checks.ts'
import type { FinishedLayout } from './page-layout.ts'
import type { PageMemory } from './page-memory.ts'
import type { SeriesPlaces } from './series-places.ts'
import type { SideSamples } from './side-samples.ts'
import { checkSampleLimit } from './target-rules.ts'

// A slice takes a few milliseconds: it is made smaller where the machine is slow.
const SLICE_LINES = 1000
const SLICE_LINES_FIRST = 250
const SLICE_LINES_MIN = 100
const SLICE_MS_MAX = 5

export interface LearnParts {
  readonly memory: PageMemory
  readonly group: GroupWriter
  readonly places: SeriesPlaces
  readonly side: SideSamples
  /** 0 = none. */
  readonly sampleLimit: number
}

export interface LearntPage {
  readonly layout: FinishedLayout
  /** Series that came up. */
  readonly seriesAdded: number
}

/**
 * Finds out what each line of a long page means, a slice at a time, so that nobody else waits. Series get their places;
 * nothing is written.
 *
 * @param body does not change meanwhile
 * @param isStopped asked between slices: true gives up
 * @returns `undefined` where it gave up, or where the page is no usual one: whoever reads it at once knows what to do
 * @throws {ExpositionError} @throws {ScrapeLimitError} @throws {SampleLimitError}
 */
export async function learnPage(
  parts: LearnParts,
  body: Uint8Array,
  format: ExpositionFormat,
  isStopped: () => boolean,
): Promise<LearntPage | undefined> {
  if (!isAcceptable(body, format)) return undefined
  const { memory } = parts
  const page = memory.loadPage(body)
  const lineCountMax = memory.kernel.countLines(page.at, page.length)
  const learner = new Learner(parts, format, lineCountMax)
  let learnt: LearntPage | undefined
  try {
    // The page itself was work enough for one turn.
    await nextTurn()
    let stopped = isStopped()
    let sliceLines = SLICE_LINES_FIRST
    for (let start = 0; start < body.length && !stopped; stopped = isStopped()) {
      const startedAt = performance.now()
      const end = sliceEnd(body, start, sliceLines)
      learner.take(body.subarray(start, end))
      start = end
      const isSlow = performance.now() - startedAt > SLICE_MS_MAX
      sliceLines = isSlow ? Math.max(SLICE_LINES_MIN, sliceLines >> 1) : Math.min(SLICE_LINES, sliceLines * 2)
      await nextTurn()
    }
    if (!stopped) {
      const seriesAdded = learner.check()
      learnt = { layout: learner.draft.finish(page), seriesAdded }
    }
  } catch (error) {
    if (!(error instanceof UnusualPageError)) throw error
  } finally {
    learner.draft.close()
    if (learnt === undefined) memory.freePage(page)
  }
  return learnt
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

class Learner {
  readonly draft: LayoutDraft
  readonly #parts: LearnParts
  readonly #format: ExpositionFormat
  readonly #context = lineContext()
  readonly #claimed: Uint8Array
  readonly #counts = { samplesScraped: 0, samplesKept: 0, seriesAdded: 0 }
  /** Lines of any kind before the slice. */
  #lineNumber = 0

  constructor(parts: LearnParts, format: ExpositionFormat, lineCountMax: number) {
    this.#parts = parts
    this.#format = format
    this.draft = new LayoutDraft(parts.memory, lineCountMax)
    this.#claimed = new Uint8Array(parts.group.positionCount + lineCountMax)
  }

  /** @throws {UnusualPageError} and as `learnPage` */
  take(body: Uint8Array): void {
    const { memory, group, places, side, sampleLimit } = this.#parts
    const slice = memory.loadPage(body)
    try {
      const lineCount = this.draft.scan(slice)
      const loose = lineCount < 0 ? undefined : settleEvents(memory, body, this.#format, this.#context)
      if (loose === undefined) throw sliceFault(body, this.#format, this.#lineNumber) ?? new UnusualPageError()
      const mapAt = memory.params[LockstepParam.NEW_MAP]! / 4
      const map = memory.words.subarray(mapAt, mapAt + lineCount)
      const resolved = places.resolve(loose, map)
      const counts = this.#counts
      counts.samplesScraped += lineCount
      counts.samplesKept += lineCount - droppedCount(map)
      // Beyond the limit it only counts: what will not be stored needs no place.
      if (sampleLimit === 0 || counts.samplesKept <= sampleLimit) {
        counts.seriesAdded += places.place(group, resolved, map, this.#claimed)
        this.draft.append(slice, lineCount, isComparable(loose))
      }
      this.#lineNumber += memory.kernel.countLines(slice.at, slice.length)
    } finally {
      side.discard()
      memory.freePage(slice)
    }
  }

  /** The page is at its end. @returns how many series came up */
  check(): number {
    checkSampleLimit(this.#counts, this.#parts.sampleLimit)
    if (this.#format === 'openmetrics' && !this.#context.sawEnd) {
      throw new ExpositionError(this.#lineNumber + 1, 'data does not end with # EOF')
    }
    return this.#counts.seriesAdded
  }
}
