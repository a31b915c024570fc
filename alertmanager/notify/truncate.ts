const MARK = '…'
const MARK_BYTES = 3

/** At most so many characters (code points); the last of a longer text is `…`. */
export function truncateChars(text: string, charsMax: number): string {
  // A text has never more code points than UTF-16 units.
  if (text.length <= charsMax) return text
  const chars = Array.from(text)
  if (chars.length <= charsMax) return text
  return charsMax <= MARK_BYTES ? chars.slice(0, charsMax).join('') : chars.slice(0, charsMax - 1).join('') + MARK
}

/** At most so many bytes of UTF-8, cut between characters; a cut text ends in `mark`. */
export function truncateBytes(text: string, bytesMax: number, mark = MARK): string {
  const bytes = Buffer.from(text, 'utf8')
  if (bytes.length <= bytesMax) return text
  let end = bytesMax - Buffer.byteLength(mark)
  // Bytes 10xxxxxx continue a character.
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, Math.max(0, end)) + mark
}
