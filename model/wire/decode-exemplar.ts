import type { Exemplar } from '../exemplar.ts'
import { compareStrings, type Labels, labelsFromEntries, METRIC_NAME } from '../labels.ts'
import type { ProtoReader } from './proto-reader.ts'

/** An `Exemplar` message. */
export function readExemplar(reader: ProtoReader): Exemplar {
  const outer = reader.open()
  const labels = new LabelPairs()
  let value = 0
  let timestampMs: number | undefined
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) labels.read(reader)
    else if (tag === 17) value = reader.double()
    else if (tag === 26) timestampMs = readTimestampMs(reader)
    else reader.skip(tag)
  }
  reader.close(outer)
  return { labels: labels.finish(), value, timestampMs }
}

/** A `google.protobuf.Timestamp`. */
export function readTimestampMs(reader: ProtoReader): number {
  const outer = reader.open()
  let seconds = 0
  let nanos = 0
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 8) seconds = reader.int64()
    else if (tag === 16) nanos = reader.int32()
    else reader.skip(tag)
  }
  reader.close(outer)
  return seconds * 1000 + Math.floor(nanos / 1e6)
}

/** Collects `LabelPair` messages; most senders have them in order already. */
export class LabelPairs {
  readonly #flat: string[] = []
  #isSorted = true

  read(reader: ProtoReader): void {
    const outer = reader.open()
    let name = ''
    let value = ''
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === 10) name = reader.string()
      else if (tag === 18) value = reader.string()
      else reader.skip(tag)
    }
    reader.close(outer)
    if (value === '' || name === METRIC_NAME) return
    const last = this.#flat[this.#flat.length - 2]
    if (last !== undefined && compareStrings(last, name) >= 0) this.#isSorted = false
    this.#flat.push(name, value)
  }

  finish(): Labels {
    if (this.#isSorted) return this.#flat
    const flat = this.#flat
    const entries: [string, string][] = []
    for (let i = 0; i < flat.length; i += 2) entries.push([flat[i]!, flat[i + 1]!])
    return labelsFromEntries(entries)
  }
}
