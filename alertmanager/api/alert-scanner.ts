// Hot: reads a hundred thousand alerts at a time. Covered by bench/load/alerts.ts.
import { EMPTY_LABELS, type Labels } from '../../model/index.ts'
import { Fnv64 } from '../alert/fingerprint.ts'
import type { AlertInputs } from '../alert/alert-inputs.ts'
import type { StoredAlert } from '../alert/stored-alert.ts'
import { isGeneratorUrl, timeOf } from './alert-input.ts'
import { BACKSLASH, CLOSE, COLON, COMMA, INCOMPLETE, IS_PLAIN, OPEN, QUOTE, skipSpace, UNUSUAL } from './json-scan.ts'
import { isText, TextTable } from './text-table.ts'

const PAIRS_MAX = 64

const NAMES = ['labels', 'annotations', 'startsAt', 'endsAt', 'generatorURL']
const LABELS = 0
const ANNOTATIONS = 1
const STARTS_AT = 2
const ENDS_AT = 3
const GENERATOR_URL = 4

/** Where a text is in the bytes, without its quotes. */
class Span {
  from = 0
  to = 0
  /** Neither escapes nor anything but ASCII. */
  isPlain = true
}

/** Labels or annotations: so many names, each with its value. */
class Pairs {
  readonly names = Array.from({ length: PAIRS_MAX }, () => new Span())
  readonly values = Array.from({ length: PAIRS_MAX }, () => new Span())
  count = 0
}

/**
 * Reads alerts straight from the bytes of a request. What is known of an alert is compared and not made again: most messages
 * repeat an earlier one. Takes only what it is sure of; all the rest is `UNUSUAL`.
 */
export class AlertScanner {
  readonly #candidate: (highHalf: number) => StoredAlert | undefined
  readonly #texts = new TextTable(16_384, (text) => text)
  readonly #urls = new TextTable(1024, checkedUrl)
  readonly #times = new TextTable(256, (text) => timeOf(text, ''))
  readonly #key = new Span()
  readonly #labels = new Pairs()
  readonly #annotations = new Pairs()
  readonly #startsAt = new Span()
  readonly #endsAt = new Span()
  readonly #generatorUrl = new Span()
  readonly #made = Array.from({ length: 2 * PAIRS_MAX }, () => '')
  #seen = 0

  /** @param candidate an alert that is known, by the upper half of its fingerprint */
  constructor(candidate: (highHalf: number) => StoredAlert | undefined) {
    this.#candidate = candidate
  }

  /**
   * Adds the alert that begins at `pos`.
   *
   * @returns where it ends, or `INCOMPLETE`, or `UNUSUAL`; with these nothing is added
   */
  scan(bytes: Buffer, pos: number, inputs: AlertInputs): number {
    this.#seen = 0
    this.#labels.count = 0
    this.#annotations.count = 0
    const end = this.#members(bytes, pos)
    if (end < 0) return end
    try {
      return this.#add(bytes, inputs) ? end : UNUSUAL
    } catch {
      // Whoever looks next says what is wrong with it.
      return UNUSUAL
    }
  }

  #members(bytes: Buffer, start: number): number {
    let pos = passOne(bytes, start, OPEN)
    while (pos >= 0) {
      pos = readText(bytes, pos, this.#key)
      if (pos >= 0) pos = passOne(bytes, pos, COLON)
      if (pos >= 0) pos = this.#member(bytes, pos)
      if (pos < 0) break
      pos = skipSpace(bytes, pos)
      if (bytes[pos] === CLOSE) return pos + 1
      pos = passOne(bytes, pos, COMMA)
    }
    return pos
  }

  /** The value of the member that `#key` names. */
  #member(bytes: Buffer, pos: number): number {
    const { from, to } = this.#key
    let index = NAMES.length - 1
    while (index >= 0 && !isText(bytes, from, to, NAMES[index]!)) index--
    // Of a name that comes twice the last one counts.
    if (index < 0 || this.#seen & (1 << index)) return UNUSUAL
    this.#seen |= 1 << index
    switch (index) {
      case LABELS:
        return readPairs(bytes, pos, this.#labels)
      case ANNOTATIONS:
        return readPairs(bytes, pos, this.#annotations)
      case STARTS_AT:
        return readText(bytes, pos, this.#startsAt)
      case ENDS_AT:
        return readText(bytes, pos, this.#endsAt)
      default:
        return readText(bytes, pos, this.#generatorUrl)
    }
  }

  #has(index: number): boolean {
    return (this.#seen & (1 << index)) !== 0
  }

  /** @returns false: it is unusual @throws what is wrong with it */
  #add(bytes: Buffer, inputs: AlertInputs): boolean {
    const startsAtMs = this.#has(STARTS_AT) ? valueOf(this.#times, bytes, this.#startsAt) : undefined
    const endsAtMs = this.#has(ENDS_AT) ? valueOf(this.#times, bytes, this.#endsAt) : undefined
    const hash = this.#hash(bytes)
    if (hash === undefined) return false
    const candidate = this.#candidate(hash.highHalf)
    const known = candidate && this.#isSame(bytes, this.#labels, candidate.labels) ? candidate : undefined
    const hasAnnotations = known !== undefined && this.#isSame(bytes, this.#annotations, known.annotations)
    const annotations = hasAnnotations ? known.annotations : this.#make(bytes, this.#annotations)
    const generatorUrl = this.#urlOf(bytes, known)
    if (hasAnnotations && generatorUrl === known.generatorUrl) inputs.add(known, startsAtMs, endsAtMs)
    else {
      const labels = known ? known.labels : this.#make(bytes, this.#labels)
      const fingerprint = known ? known.fingerprint : hash.digits()
      inputs.add({ labels, annotations, generatorUrl, fingerprint }, startsAtMs, endsAtMs)
    }
    return true
  }

  #hash(bytes: Buffer): Fnv64 | undefined {
    const { names, values, count } = this.#labels
    if (count === 0) return undefined
    const hash = new Fnv64()
    for (let i = 0; i < count; i++) {
      const name = names[i]!
      const value = values[i]!
      if (!value.isPlain) return undefined
      hash.addText(bytes, name.from, name.to)
      hash.addText(bytes, value.from, value.to)
    }
    return hash
  }

  #urlOf(bytes: Buffer, known: StoredAlert | undefined): string {
    if (!this.#has(GENERATOR_URL)) return ''
    const { from, to, isPlain } = this.#generatorUrl
    if (known && isPlain && isText(bytes, from, to, known.generatorUrl)) return known.generatorUrl
    return valueOf(this.#urls, bytes, this.#generatorUrl)
  }

  #isSame(bytes: Buffer, { names, values, count }: Pairs, labels: Labels): boolean {
    if (labels.length !== 2 * count) return false
    for (let i = 0; i < count; i++) {
      const name = names[i]!
      const value = values[i]!
      if (!isText(bytes, name.from, name.to, labels[2 * i]!)) return false
      const text = labels[2 * i + 1]!
      if (value.isPlain) {
        if (!isText(bytes, value.from, value.to, text)) return false
      } else if (valueOf(this.#texts, bytes, value) !== text) return false
    }
    return true
  }

  #make(bytes: Buffer, { names, values, count }: Pairs): Labels {
    if (count === 0) return EMPTY_LABELS
    for (let i = 0; i < count; i++) {
      this.#made[2 * i] = valueOf(this.#texts, bytes, names[i]!)
      this.#made[2 * i + 1] = valueOf(this.#texts, bytes, values[i]!)
    }
    // Takes no more room than it needs, unlike a list that has grown.
    return this.#made.slice(0, 2 * count)
  }
}

const valueOf = <T>(table: TextTable<T>, bytes: Buffer, { from, to, isPlain }: Span): T =>
  table.of(bytes, from, to, isPlain)

function checkedUrl(text: string): string {
  if (!isGeneratorUrl(text)) throw new TypeError(`no address: ${text}`)
  return text
}

/** @returns where `code`, and blanks around it, end */
function passOne(bytes: Buffer, start: number, code: number): number {
  const pos = skipSpace(bytes, start)
  if (pos >= bytes.length) return INCOMPLETE
  return bytes[pos] === code ? skipSpace(bytes, pos + 1) : UNUSUAL
}

/** A text in quotes. @returns where it ends */
function readText(bytes: Buffer, start: number, span: Span): number {
  if (start >= bytes.length) return INCOMPLETE
  if (bytes[start] !== QUOTE) return UNUSUAL
  let isPlain = true
  for (let pos = start + 1; pos < bytes.length; pos++) {
    const code = bytes[pos]!
    if (IS_PLAIN[code] === 1) continue
    if (code === QUOTE) {
      span.from = start + 1
      span.to = pos
      span.isPlain = isPlain
      return pos + 1
    }
    if (code < 0x20) return UNUSUAL
    isPlain = false
    // Whatever is behind a backslash, it does not end the text.
    if (code === BACKSLASH) pos++
  }
  return INCOMPLETE
}

/** An object of texts, not empty ones, in order of their names. @returns where it ends */
function readPairs(bytes: Buffer, start: number, pairs: Pairs): number {
  pairs.count = 0
  let pos = passOne(bytes, start, OPEN)
  if (pos >= 0 && bytes[pos] === CLOSE) return pos + 1
  while (pos >= 0) {
    if (pairs.count === PAIRS_MAX) return UNUSUAL
    const name = pairs.names[pairs.count]!
    const value = pairs.values[pairs.count]!
    pos = readText(bytes, pos, name)
    if (pos >= 0) pos = passOne(bytes, pos, COLON)
    if (pos >= 0) pos = readText(bytes, pos, value)
    if (pos < 0) break
    if (!name.isPlain || name.from === name.to || value.from === value.to || !insertLast(bytes, pairs)) return UNUSUAL
    pos = skipSpace(bytes, pos)
    if (bytes[pos] === CLOSE) return pos + 1
    pos = passOne(bytes, pos, COMMA)
  }
  return pos
}

/** Moves the pair behind the others to its place. @returns false: there is one of that name */
function insertLast(bytes: Buffer, pairs: Pairs): boolean {
  const { names, values } = pairs
  for (let i = pairs.count++; i > 0; i--) {
    const order = compareSpans(bytes, names[i - 1]!, names[i]!)
    if (order < 0) return true
    if (order === 0) return false
    swap(names, i)
    swap(values, i)
  }
  return true
}

function swap(spans: Span[], i: number): void {
  const span = spans[i]!
  spans[i] = spans[i - 1]!
  spans[i - 1] = span
}

function compareSpans(bytes: Buffer, a: Span, b: Span): number {
  const length = Math.min(a.to - a.from, b.to - b.from)
  for (let i = 0; i < length; i++) {
    const order = bytes[a.from + i]! - bytes[b.from + i]!
    if (order !== 0) return order
  }
  return a.to - a.from - (b.to - b.from)
}
