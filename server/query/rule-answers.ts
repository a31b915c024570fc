// Answers to rules' queries on their way between threads. A rule yields the same series again and again, so their labels travel
// only when they have changed; the values of all vectors of a batch are one column. Covered by `npm run bench -- rules`.
import { createHash } from 'node:crypto'
import { type InstantValue, type Labels, labelsKey, type VectorSample } from '../../model/index.ts'
import type { EvaluationStats } from '../../promql/index.ts'

export type BatchAnswer = { readonly value: InstantValue } | { readonly error: string }

/** The series of a vector, in its order. */
export interface LabelList {
  /** Equal for equal labels, in whatever thread they were found; never 0. */
  readonly id: number
  readonly labels: readonly Labels[]
}

/** The answers to a batch, in the order of its queries. */
export interface PackedAnswers {
  /** The label list of each answer that is a vector; 0 for one that stands in `others`. */
  readonly listIds: Float64Array<ArrayBuffer>
  /** Of all those vectors, one after the other. */
  readonly values: Float64Array<ArrayBuffer>
  /** Lists that the asker does not have, by the index of the query. */
  readonly newLists: ReadonlyMap<number, LabelList>
  /** Errors, scalars, strings, and vectors that hold histograms, by the index of the query. */
  readonly others: ReadonlyMap<number, BatchAnswer>
  /** Of each query that went well, where they were asked for. */
  readonly stats?: readonly (EvaluationStats | undefined)[]
}

// A worker and the main thread each remember up to so many label sets, and expressions; then they start over.
const LABEL_SETS_KEPT = 200_000
const LISTS_KEPT = 20_000

/** Label lists by expression. */
class KnownLists {
  readonly #lists = new Map<string, LabelList>()
  #labelSets = 0

  get(expr: string): LabelList | undefined {
    return this.#lists.get(expr)
  }

  set(expr: string, list: LabelList): void {
    this.#labelSets += list.labels.length - (this.#lists.get(expr)?.labels.length ?? 0)
    if (this.#labelSets > LABEL_SETS_KEPT || this.#lists.size >= LISTS_KEPT) {
      this.#lists.clear()
      this.#labelSets = list.labels.length
    }
    this.#lists.set(expr, list)
  }
}

/** The worker's end: puts answers together. */
export class AnswerPacker {
  readonly #known = new KnownLists()
  /** Kept from batch to batch. */
  #values = new Float64Array(1024)

  /**
   * @param asked with the ids of the label lists that the asker has of the expressions, 0 for none
   * @param answer called for one after the other; each answer is packed at once, so that it need not live long
   */
  pack<Q extends { readonly expr: string; readonly listId: number }>(
    asked: readonly Q[],
    answer: (query: Q) => BatchAnswer,
  ): PackedAnswers {
    const listIds = new Float64Array(asked.length)
    const newLists = new Map<number, LabelList>()
    const others = new Map<number, BatchAnswer>()
    let count = 0
    for (const [i, query] of asked.entries()) {
      const given = answer(query)
      const samples = plainVector(given)
      if (samples === undefined) {
        others.set(i, given)
        continue
      }
      const list = this.#listOf(query.expr, samples)
      listIds[i] = list.id
      if (list.id !== query.listId) newLists.set(i, list)
      this.#reserve(count + samples.length)
      for (let s = 0; s < samples.length; s++) this.#values[count++] = samples[s]!.value
    }
    return { listIds, values: this.#values.slice(0, count), newLists, others }
  }

  #reserve(count: number): void {
    if (count <= this.#values.length) return
    const grown = new Float64Array(2 * count)
    grown.set(this.#values)
    this.#values = grown
  }

  #listOf(expr: string, samples: readonly VectorSample[]): LabelList {
    const known = this.#known.get(expr)
    if (known !== undefined && hasLabels(samples, known.labels)) return known
    const labels = samples.map((sample) => sample.labels)
    const list = { id: idOf(labels), labels }
    this.#known.set(expr, list)
    return list
  }
}

/** The main thread's end. Vectors of one expression have the very same label objects for as long as their labels do not change. */
export class AnswerUnpacker {
  readonly #known = new KnownLists()

  /** To be named to the worker, and given to `unpack` with its answer. */
  listOf(expr: string): LabelList | undefined {
    return this.#known.get(expr)
  }

  /** @param asked as the worker was asked, with the lists that were named to it */
  unpack(
    asked: readonly { readonly expr: string; readonly timeMs: number; readonly list: LabelList | undefined }[],
    packed: PackedAnswers,
  ): BatchAnswer[] {
    let at = 0
    return asked.map(({ expr, timeMs, list }, i) => {
      const other = packed.others.get(i)
      if (other !== undefined) return other
      const { labels } = this.#labelsOf(expr, list, packed.newLists.get(i))
      const samples = labels.map(
        (one): VectorSample => ({ labels: one, timestampMs: timeMs, value: packed.values[at++]! }),
      )
      return { value: { type: 'vector', samples } }
    })
  }

  #labelsOf(expr: string, named: LabelList | undefined, sent: LabelList | undefined): LabelList {
    if (sent === undefined) return named!
    const known = this.#known.get(expr)
    if (known?.id === sent.id) return known // Another rule with this expression was faster.
    const list = { id: sent.id, labels: shareTexts(sent.labels) }
    this.#known.set(expr, list)
    return list
  }
}

function plainVector(answer: BatchAnswer): readonly VectorSample[] | undefined {
  if (!('value' in answer) || answer.value.type !== 'vector') return undefined
  const { samples } = answer.value
  for (let i = 0; i < samples.length; i++) if (samples[i]!.histogram !== undefined) return undefined
  return samples
}

function hasLabels(samples: readonly VectorSample[], lists: readonly Labels[]): boolean {
  if (samples.length !== lists.length) return false
  for (let i = 0; i < lists.length; i++) {
    const own = samples[i]!.labels
    const known = lists[i]!
    if (own === known) continue
    if (own.length !== known.length) return false
    for (let at = 0; at < own.length; at++) if (own[at] !== known[at]) return false
  }
  return true
}

/** Only lists of one expression are compared by it; 48 bits are enough for that. */
function idOf(lists: readonly Labels[]): number {
  const hash = createHash('sha1')
  for (const labels of lists) {
    const key = labelsKey(labels)
    hash.update(`${key.length} ${key}`)
  }
  return 1 + hash.digest().readUIntBE(0, 6)
}

/** Each text once: copies between threads have one of its own for every label. */
function shareTexts(lists: readonly Labels[]): Labels[] {
  const texts = new Map<string, string>()
  const shared = (text: string): string => {
    const known = texts.get(text)
    if (known === undefined) texts.set(text, text)
    return known ?? text
  }
  return lists.map((labels) => labels.map(shared))
}
