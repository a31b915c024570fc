import { Readable } from 'node:stream'
import { Turns } from './turns.ts'

/** Up to so many characters a body is sent in one go. */
const WHOLE_CHARS_MAX = 256 * 1024
const PIECE_CHARS = 64 * 1024

/** A body to send: the text itself where it is short, else a stream of it that leaves others their turns. */
export function bodyOfPieces(pieces: Iterable<string>): string | Readable {
  const iterator = pieces[Symbol.iterator]()
  let text = ''
  while (text.length <= WHOLE_CHARS_MAX) {
    const next = iterator.next()
    if (next.done === true) return text
    text += next.value
  }
  return Readable.from(inTurns(text, iterator), { objectMode: false })
}

async function* inTurns(begin: string, rest: Iterator<string>): AsyncGenerator<Buffer> {
  const turns = new Turns()
  yield Buffer.from(begin)
  for (let next = rest.next(); next.done !== true; next = rest.next()) {
    yield Buffer.from(next.value)
    if (turns.isOver) await turns.next()
  }
}

/** A JSON array of texts that are JSON themselves, in pieces of some size. */
export function* jsonArray(items: Iterable<string>): Generator<string> {
  let piece = '['
  let separator = ''
  for (const item of items) {
    piece += separator + item
    separator = ','
    if (piece.length < PIECE_CHARS) continue
    yield piece
    piece = ''
  }
  yield `${piece}]`
}
