import {
  type GroupAppendable,
  type GroupWriter,
  type Labels,
  labelsKey,
  OutOfOrderSampleError,
  ROW_ENTRY_BYTES,
  SampleKind,
  withLabels,
} from '../../model/index.ts'

export interface RecordedRow {
  readonly timestampMs: number
  /** Samples of this row by series in the form `labelsKey`, carried-over ones included; stale markers as 'stale'. */
  readonly samples: ReadonlyMap<string, number | 'stale'>
  readonly entryCount: number
}

/** A group as the seam defines it: keeps the state of every position and checks the promises of the writer. For tests. */
export class RecordedGroup implements GroupWriter {
  readonly labels: Labels
  readonly rows: RecordedRow[] = []
  closed = false
  readonly #series: string[] = []
  readonly #state: (number | 'stale' | undefined)[] = []

  constructor(labels: Labels) {
    this.labels = labels
  }

  get positionCount(): number {
    return this.#series.length
  }

  addSeries(seriesLabels: readonly Labels[]): number {
    const first = this.#series.length
    for (const labels of seriesLabels) {
      const pairs = Array.from({ length: labels.length / 2 }, (_, i) => [labels[i * 2]!, labels[i * 2 + 1]!] as const)
      const key = labelsKey(withLabels(this.labels, pairs))
      if (this.#series.includes(key)) throw new Error(`series added twice: ${labels}`)
      this.#series.push(key)
      this.#state.push(undefined)
    }
    return first
  }

  writeRow(timestampMs: number, entries: Uint8Array, entryCount: number): void {
    const last = this.rows.at(-1)
    if (last && last.timestampMs >= timestampMs) throw new OutOfOrderSampleError('row out of order')
    const view = new DataView(entries.buffer, entries.byteOffset, entryCount * ROW_ENTRY_BYTES)
    let lastPosition = -1
    for (let at = 0; at < entryCount * ROW_ENTRY_BYTES; at += ROW_ENTRY_BYTES) {
      const position = view.getUint32(at, true)
      if (position <= lastPosition || position >= this.#series.length)
        throw new Error(`position ${position} out of order`)
      lastPosition = position
      this.#state[position] = entryValue(view, at)
    }
    const samples = new Map<string, number | 'stale'>()
    for (const [i, value] of this.#state.entries()) if (value !== undefined) samples.set(this.#series[i]!, value)
    this.rows.push({ timestampMs, samples, entryCount })
  }

  close(): void {
    this.closed = true
  }
}

function entryValue(view: DataView, at: number): number | 'stale' | undefined {
  const kind = view.getUint8(at + 4)
  const exponent = view.getInt8(at + 5)
  if (view.getUint16(at + 6, true) !== 0) throw new Error('entry has bytes that should be zero')
  if (kind === SampleKind.STALE) return 'stale'
  if (kind === SampleKind.ABSENT) return undefined
  if (kind === SampleKind.RAW) return view.getFloat64(at + 8, true)
  const mantissa = Number(view.getBigInt64(at + 8, true))
  if (Math.abs(exponent) > 22 || Math.abs(mantissa) > 2 ** 53) throw new Error('decimal out of range')
  return exponent >= 0 ? mantissa / 10 ** exponent : mantissa * 10 ** -exponent
}

/** Keeps every row in memory, checking what the seam promises. For tests. */
export class RecordingStore implements GroupAppendable {
  readonly groups: RecordedGroup[] = []

  openGroup(groupLabels: Labels): RecordedGroup {
    const group = new RecordedGroup(groupLabels)
    this.groups.push(group)
    return group
  }

  flushed(): Promise<void> {
    return Promise.resolve()
  }
}
