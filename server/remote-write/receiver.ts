import { WriteRequestKernels } from '../../kernels/index.ts'
import type { Clock, Registry } from '../../lib/index.ts'
import { counterOf } from '../../lib/metrics.ts'
import { type Appender, decodeSnappy } from '../../model/index.ts'
import { RemoteWriteRejectedError, WriteBatch } from './batch.ts'
import type { WriteVersion } from './content-type.ts'
import { ReaderV1 } from './read-v1.ts'
import { ReaderV2 } from './read-v2.ts'
import { RemoteMetadata } from './remote-metadata.ts'

/** Of a body, packed and unpacked. */
export const BODY_BYTES_MAX = 32 * 1024 * 1024

const SWEEP_MINUTES = 10
const KEPT_MINUTES = 60

export interface ReceiverOptions {
  /** Filled with what senders say of their metrics. */
  readonly metadata: RemoteMetadata
  /** A batch of the stream that belongs to remote write alone. */
  readonly appender: () => Appender
  readonly clock: Clock
  readonly registry: Registry
}

/** What of a request is stored now. */
export interface WriteOutcome {
  readonly samples: number
  readonly histograms: number
  readonly exemplars: number
  /** With version 2 what could be stored is stored all the same. */
  readonly rejection: RemoteWriteRejectedError | undefined
}

/** Takes what other systems send by remote write, versions 1 and 2. */
export class RemoteWriteReceiver {
  readonly #options: ReceiverOptions
  readonly #v1: ReaderV1
  readonly #v2: ReaderV2
  // Requests are read one after the other, so one place to unpack them will do.
  readonly #kernels = new WriteRequestKernels()
  #sweptAt = 0
  #invalidLabelSamples = 0

  constructor(options: ReceiverOptions) {
    this.#options = options
    this.#v1 = new ReaderV1(options.metadata)
    this.#v2 = new ReaderV2(options.metadata)
    counterOf(
      options.registry,
      'prometheus_api_remote_write_invalid_labels_samples_total',
      'Samples received by remote write that were dropped because of their labels.',
      () => this.#invalidLabelSamples,
    )
  }

  /**
   * Stores a request's samples; resolves when they are in the log.
   *
   * @param body packed with snappy, in any number of pieces
   * @throws {WireFormatError} for bytes that are no such message; nothing is stored
   * @throws {RemoteWriteRejectedError} and the store's refusals (version 1 only); nothing is stored
   */
  async write(body: readonly Uint8Array[], version: WriteVersion): Promise<WriteOutcome> {
    const unpacked = this.#kernels.unpack(body)
    // What is too large for the kernels is read without them, and what is damaged is told by its error.
    const bytes = unpacked ?? decodeSnappy(Buffer.concat(body), BODY_BYTES_MAX)
    const batch = new WriteBatch(this.#options.appender(), version === 2)
    try {
      if (version === 1) this.#v1.read(bytes, batch, this.#minutes(), unpacked && this.#kernels)
      else this.#v2.read(bytes, batch, this.#minutes())
    } catch (error) {
      batch.appender.rollback()
      throw error
    }
    this.#invalidLabelSamples += batch.invalidSamples
    await batch.appender.commit()
    const { samples, histograms, exemplars } = batch
    return { samples, histograms, exemplars, rejection: batch.rejection() }
  }

  /** Also forgets series that no longer come. */
  #minutes(): number {
    const now = Math.floor(this.#options.clock.nowMs() / 60_000)
    if (now - this.#sweptAt >= SWEEP_MINUTES) {
      this.#sweptAt = now
      for (const { known } of [this.#v1, this.#v2]) known.forget(now - KEPT_MINUTES)
    }
    return now
  }
}
