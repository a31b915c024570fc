import type { Labels } from '../../model/index.ts'
import { type ByteReader, ByteWriter } from '../bytes.ts'
import { CorruptionError } from '../errors.ts'
import { packFile, unpackFile } from '../packed-file.ts'
import { groupFlags, groupKind } from './format.ts'

// Format: docs/formats/checkpoint.md.
const KIND = { magic: 0x5043_5442, version: 1, name: 'a checkpoint' } as const // "BTCP"

export interface CheckpointGroup {
  readonly id: number
  readonly isSparse: boolean
  readonly isLate: boolean
  readonly stream: string
  readonly labels: Labels
  readonly newestMs: number
  /** Index into `templates`. */
  readonly template: number
}

/** Stands for the labels of a position that were lost; no real label has an empty name. */
export const LOST_LABELS: Labels = ['', '']

/** All groups of the head with the labels of their positions, as of the end of the log segments before `walSegment`. */
interface Checkpoint {
  readonly walSegment: number
  readonly minValidMs: number
  readonly groups: readonly CheckpointGroup[]
  readonly templates: readonly (readonly Labels[])[]
}

export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const symbols = new Map<string, number>()
  const labelSets = new Map<Labels, number>()
  const body = new ByteWriter(1 << 16)
  const symbol = (text: string): number => {
    const id = symbols.get(text) ?? symbols.size
    symbols.set(text, id)
    return id
  }
  const writeLabelSet = (labels: Labels): void => {
    body.varint(labels.length >>> 1)
    for (const text of labels) body.varint(symbol(text))
  }
  // A label set is the same object wherever the head holds it once.
  for (const template of checkpoint.templates) {
    for (const labels of template) if (!labelSets.has(labels)) labelSets.set(labels, labelSets.size)
  }
  body.varint(labelSets.size)
  for (const labels of labelSets.keys()) writeLabelSet(labels)
  body.varint(checkpoint.templates.length)
  for (const template of checkpoint.templates) {
    body.varint(template.length)
    for (const labels of template) body.varint(labelSets.get(labels)!)
  }
  body.varint(checkpoint.groups.length)
  for (const group of checkpoint.groups) {
    body.varint(group.id)
    body.u8(groupFlags(group))
    body.varint(symbol(group.stream))
    body.f64(group.newestMs)
    body.varint(group.template)
    writeLabelSet(group.labels)
  }
  const head = new ByteWriter(1 << 16)
  head.varint(checkpoint.walSegment)
  head.f64(checkpoint.minValidMs)
  head.varint(symbols.size)
  for (const text of symbols.keys()) head.string(text)
  head.append(body.bytes())
  return packFile(KIND, head.bytes())
}

/** @throws {CorruptionError} */
export function decodeCheckpoint(bytes: Uint8Array, file: string): Checkpoint {
  const steps = checkpointSteps(bytes, file)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** As `decodeCheckpoint`, in steps of a few milliseconds at most: it may be of millions of series. */
export function* checkpointSteps(bytes: Uint8Array, file: string): Generator<void, Checkpoint> {
  const body = unpackFile(KIND, bytes, file, (whole) => whole)
  try {
    return yield* decodeBody(body)
  } catch (cause) {
    throw new CorruptionError(file, 0, (cause as Error).message, { cause })
  }
}

// Templates and label sets that are read in a step.
const TEMPLATES_A_STEP = 4
const LABEL_SETS_A_STEP = 1024

function* decodeBody(body: ByteReader): Generator<void, Checkpoint> {
  const walSegment = body.varint()
  const minValidMs = body.f64()
  const symbols = yield* listOf(body.count(), LABEL_SETS_A_STEP, () => body.string())
  const readLabelSet = (): Labels => Array.from({ length: 2 * body.count(2) }, () => symbols[body.varint()]!)
  const labelSets = yield* listOf(body.count(), LABEL_SETS_A_STEP, readLabelSet)
  const templates = yield* listOf(body.count(), TEMPLATES_A_STEP, () =>
    Array.from({ length: body.count() }, () => labelSets[body.varint()]!),
  )
  const groups = yield* listOf(body.count(), LABEL_SETS_A_STEP, () => ({
    id: body.varint(),
    ...groupKind(body.u8()),
    stream: symbols[body.varint()]!,
    newestMs: body.f64(),
    template: body.varint(),
    labels: readLabelSet(),
  }))
  return { walSegment, minValidMs, groups, templates }
}

function* listOf<T>(count: number, aStep: number, read: () => T): Generator<void, T[]> {
  const list: T[] = []
  for (let i = 0; i < count; i++) {
    list.push(read())
    if (i % aStep === 0) yield
  }
  return list
}
