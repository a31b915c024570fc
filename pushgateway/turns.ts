const CHUNK_LENGTH = 1 << 16
/** So long it may run before others get a turn. */
const TURN_MS = 1

/** Joins small parts, all strings or all bytes, into pieces worth sending. Whatever else the process does gets its turn in between. */
export async function* inTurns(parts: Iterable<string | Uint8Array>): AsyncGenerator<Buffer> {
  let piece: (string | Uint8Array)[] = []
  let length = 0
  let turnStart = performance.now()
  for (const part of parts) {
    piece.push(part)
    length += part.length
    if (length >= CHUNK_LENGTH) {
      yield join(piece)
      piece = []
      length = 0
    }
    if (performance.now() - turnStart > TURN_MS) {
      await new Promise((resolve) => setImmediate(resolve))
      turnStart = performance.now()
    }
  }
  if (length > 0) yield join(piece)
}

function join(piece: readonly (string | Uint8Array)[]): Buffer {
  if (typeof piece[0] === 'string') return Buffer.from(piece.join(''))
  return Buffer.concat(piece as Uint8Array[])
}
