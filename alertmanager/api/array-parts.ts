const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN = new Set([0x7b, 0x5b])
const CLOSE = new Set([0x7d, 0x5d])

/**
 * Cuts the text of a JSON array into texts of shorter arrays with the same items, so that they can be parsed one at a time.
 *
 * @param partChars about how long the parts are to be
 * @returns `undefined` in place of a part when the text is no array, or not a whole one
 */
export function* arrayParts(text: string, partChars: number): Generator<string | undefined> {
  const start = /^\s*\[/.exec(text)?.[0].length
  if (start === undefined) {
    yield undefined
    return
  }
  let from = start
  let depth = 1
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) i = endOfString(text, i)
    else if (code === COMMA) {
      if (depth > 1 || i - from < partChars) continue
      yield partOf(text, from, i)
      from = i + 1
    } else if (OPEN.has(code)) depth++
    else if (CLOSE.has(code) && --depth === 0) {
      const isRestBlank = /^\s*$/.test(text.slice(i + 1))
      yield isRestBlank ? (from === start ? text : partOf(text, from, i)) : undefined
      return
    }
  }
  yield undefined
}

/** An item is missing where there is nothing between two commas. */
function partOf(text: string, from: number, to: number): string | undefined {
  const items = text.slice(from, to)
  return items.trim() === '' ? undefined : `[${items}]`
}

/** Index of the quote that ends the string; past the end of the text where there is none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return end
  }
  return text.length
}
