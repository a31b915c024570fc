// Hot: looks at each byte of a request. Covered by bench/load/alerts.ts.
/** Where something ends, if it is not there: the bytes end before it does. */
export const INCOMPLETE = -1
/** Likewise: it is unusual, or wrong, and a full parser has to look. */
export const UNUSUAL = -2

export const QUOTE = 0x22
export const COMMA = 0x2c
export const COLON = 0x3a
export const ARRAY_OPEN = 0x5b
export const BACKSLASH = 0x5c
export const ARRAY_CLOSE = 0x5d
export const OPEN = 0x7b
export const CLOSE = 0x7d

/** By code: whether the character is in JSON, and in UTF-8, what it is by itself. */
export const IS_PLAIN = Uint8Array.from({ length: 0x10000 }, (_, code) =>
  Number(code >= 0x20 && code < 0x7f && code !== QUOTE && code !== BACKSLASH),
)

const SPACE = 0x20
const TAB = 0x09
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

/** @returns where something else than a blank is, or the end */
export function skipSpace(bytes: Uint8Array, start: number): number {
  let pos = start
  for (; pos < bytes.length; pos++) {
    const code = bytes[pos]!
    if (code > SPACE || (code !== SPACE && code !== LINE_FEED && code !== CARRIAGE_RETURN && code !== TAB)) break
  }
  return pos
}

/** Where the object that begins at `start` ends, if it is JSON at all. */
export function endOfObject(bytes: Uint8Array, start: number): number {
  if (bytes[start] !== OPEN) return UNUSUAL
  let depth = 0
  let isInText = false
  for (let pos = start; pos < bytes.length; pos++) {
    const code = bytes[pos]!
    if (isInText) {
      if (code === QUOTE) isInText = false
      else if (code === BACKSLASH) pos++
    } else if (code === QUOTE) isInText = true
    else if (code === OPEN || code === ARRAY_OPEN) depth++
    else if ((code === CLOSE || code === ARRAY_CLOSE) && --depth === 0) return pos + 1
  }
  return INCOMPLETE
}
