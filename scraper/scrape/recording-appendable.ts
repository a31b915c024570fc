import {
  type Appendable,
  type Appender,
  DuplicateSampleError,
  labelsText,
  type NativeHistogram,
  OutOfOrderSampleError,
  type SeriesRef,
} from '../../model/index.ts'

/** Keeps what is committed, as text; refuses times that do not rise, as a store does. For tests. */
export class RecordingAppendable implements Appendable {
  readonly committed: string[] = []
  /** As they came, in the same order as their lines. */
  readonly histograms: NativeHistogram[] = []
  readonly #newest = new Map<SeriesRef, number>()
  readonly #refs = new Map<string, SeriesRef>()

  appender(): Appender {
    const staged: string[] = []
    const add = (ref: SeriesRef | undefined, labels: string, timeMs: number, text: string): SeriesRef => {
      const known = ref ?? this.#refs.get(labels) ?? ((this.#refs.size + 1) as SeriesRef)
      this.#refs.set(labels, known)
      const newest = this.#newest.get(known) ?? 0
      if (timeMs < newest) throw new OutOfOrderSampleError('old')
      if (timeMs === newest) throw new DuplicateSampleError('same')
      this.#newest.set(known, timeMs)
      staged.push(`${labels} ${text} @${timeMs}`)
      return known
    }
    return {
      append: (ref, labels, timeMs, value) => add(ref, labelsText(labels), timeMs, String(value)),
      appendStale: (ref, labels, timeMs) => add(ref, labelsText(labels), timeMs, 'stale'),
      appendHistogram: (ref, labels, timeMs, histogram) => {
        this.histograms.push(histogram)
        return add(ref, labelsText(labels), timeMs, `histogram ${histogram.count}`)
      },
      appendExemplar: (labels, { labels: own, value, timestampMs }) =>
        void staged.push(`${labelsText(labels)} # ${labelsText(own)} ${value} @${timestampMs}`),
      commit: () => Promise.resolve(void this.committed.push(...staged.splice(0))),
      rollback: () => void staged.splice(0),
    }
  }
}
