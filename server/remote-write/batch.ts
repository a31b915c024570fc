import { AppError } from '../../lib/index.ts'
import {
  type Appender,
  DuplicateSampleError,
  type Labels,
  labelsText,
  OutOfBoundsError,
  OutOfOrderSampleError,
  type ProtoReader,
  type SeriesRef,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
} from '../../model/index.ts'
import { histogramFault } from './histogram-check.ts'
import { type HistogramSample, readHistogramSample } from './histogram-message.ts'
import { LazyLabels } from './lazy-labels.ts'

/** A request with something in it that cannot be stored. The message names every series, or the first ones. */
export class RemoteWriteRejectedError extends AppError {
  override readonly code = 'ERR_REMOTE_WRITE_REJECTED'
  override readonly httpStatus = 400
}

const FAULTS_SHOWN_MAX = 20
const VALUE = 9
const TIMESTAMP = 16

/** What one request puts into the store; both versions of the message come down to these steps. */
export class WriteBatch {
  readonly appender: Appender
  readonly lazy = new LazyLabels()
  /** Of the series that is being read; `undefined` while the store has not named it. */
  ref: SeriesRef | undefined
  samples = 0
  histograms = 0
  exemplars = 0
  /** Of series whose labels are refused. */
  invalidSamples = 0
  readonly #keepsGoing: boolean
  readonly #faults: string[] = []
  #faultCount = 0

  /** @param keepsGoing collect what cannot be stored and store the rest, instead of throwing */
  constructor(appender: Appender, keepsGoing: boolean) {
    this.appender = appender
    this.#keepsGoing = keepsGoing
  }

  /** The open field is a `Sample`: value 1, time 2. */
  sample(reader: ProtoReader): void {
    if (!this.#plainSample(reader)) this.#anySample(reader)
  }

  /** Takes a sample that is written as all senders do: the value (left out when it is 0), then the time. */
  #plainSample(reader: ProtoReader): boolean {
    const { bytes, pos, end } = reader
    const stop = pos + 1 + bytes[pos]!
    let at = pos + 1
    let valueAt = -1
    if (bytes[at] === VALUE) {
      valueAt = at + 1
      at += 9
    }
    if (bytes[at] !== TIMESTAMP || stop > end || at >= stop) return false
    let timestampMs = 0
    let factor = 1
    for (let byte = 0x80; byte >= 0x80; factor *= 128) {
      // Times that need more than 49 bits are left to the reader.
      if (++at >= stop || factor > 2 ** 42) return false
      byte = bytes[at]!
      timestampMs += (byte & 0x7f) * factor
    }
    if (at + 1 !== stop || bytes[pos]! >= 0x80) return false
    reader.pos = stop
    this.sampleAt(reader.view, valueAt, timestampMs)
    return true
  }

  #anySample(reader: ProtoReader): void {
    const outer = reader.open()
    let valueAt = -1
    let timestampMs = 0
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === VALUE) {
        valueAt = reader.pos
        reader.skip(tag)
      } else if (tag === TIMESTAMP) timestampMs = reader.int64()
      else reader.skip(tag)
    }
    reader.close(outer)
    this.sampleAt(reader.view, valueAt, timestampMs)
  }

  /** @param valueAt place of the value in `view`; -1 = it is left out, so 0 */
  sampleAt(view: DataView, valueAt: number, timestampMs: number): void {
    try {
      this.#append(view, valueAt, timestampMs)
      this.samples++
    } catch (error) {
      this.#refused(error)
    }
  }

  #append(view: DataView, valueAt: number, timestampMs: number): void {
    const { appender, lazy } = this
    const high = valueAt < 0 ? 0 : view.getUint32(valueAt + 4, true)
    if (high === STALE_NAN_HIGH && view.getUint32(valueAt, true) === STALE_NAN_LOW) {
      this.ref = appender.appendStale(this.ref, lazy.labels, timestampMs)
    } else {
      const value = valueAt < 0 ? 0 : view.getFloat64(valueAt, true)
      this.ref = appender.append(this.ref, lazy.labels, timestampMs, value)
    }
  }

  /** The open field is a `Histogram`. */
  histogram(reader: ProtoReader): void {
    const sample = readHistogramSample(reader)
    try {
      this.#appendHistogram(sample)
      this.histograms++
    } catch (error) {
      this.#refused(error)
    }
  }

  #appendHistogram({ histogram, timestampMs }: HistogramSample): void {
    const fault = histogramFault(histogram)
    if (fault !== undefined) {
      throw new RemoteWriteRejectedError(`${labelsText(this.lazy.decoded())}: invalid histogram: ${fault}`)
    }
    this.ref = this.appender.appendHistogram(this.ref, this.lazy.decoded(), timestampMs, histogram)
  }

  /** An exemplar that the store does not want never fails a request. */
  exemplar(labels: Labels, value: number, timestampMs: number): void {
    for (let i = 0; i < labels.length; i += 2) if (labels[i] === '') return
    try {
      this.appender.appendExemplar(this.lazy.decoded(), { labels, value, timestampMs })
      this.exemplars++
    } catch (error) {
      if (!(error instanceof AppError)) throw error
    }
  }

  /** Notes why something of the request is not stored. */
  fault(message: string): void {
    if (this.#faultCount++ < FAULTS_SHOWN_MAX) this.#faults.push(message)
  }

  /** What to answer once the rest is stored; `undefined` when everything was. */
  rejection(): RemoteWriteRejectedError | undefined {
    if (this.#faultCount === 0) return undefined
    const more = this.#faultCount - this.#faults.length
    return new RemoteWriteRejectedError(this.#faults.join('\n') + (more > 0 ? `\nand ${more} more` : ''))
  }

  #refused(error: unknown): void {
    const isRefusal =
      error instanceof OutOfOrderSampleError ||
      error instanceof DuplicateSampleError ||
      error instanceof OutOfBoundsError ||
      error instanceof RemoteWriteRejectedError
    if (!isRefusal || !this.#keepsGoing) throw error
    this.fault(error.message)
  }
}
