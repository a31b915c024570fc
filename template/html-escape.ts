const HTML_ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
  '\0': '\ufffd',
}

/** text/template's `html` function. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"'\0]/g, (c) => HTML_ESCAPES[c]!)

const JS_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
}

/** text/template's `js` function: fit to stand between quotes in a script. */
export function escapeJs(text: string): string {
  return text.replace(/[\\'"<>&=\p{C}\u2028\u2029]/gu, (c) => {
    const code = c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
    return JS_ESCAPES[c] ?? `\\u${code}`
  })
}

/** Go's url.QueryEscape. */
export const queryEscape = (text: string): string =>
  percentEncode(text, /[A-Za-z0-9\-_.~]/, true).replaceAll('%20', '+')

/** Go's url.PathEscape-like normalisation of a whole URL: reserved characters and valid escapes stay. */
export function normalizeUrl(url: string): string {
  const valid = /%[0-9a-fA-F]{2}/g
  let out = ''
  let last = 0
  for (const match of url.matchAll(valid)) {
    out += percentEncode(url.slice(last, match.index), URL_KEPT, false) + match[0]
    last = match.index + match[0].length
  }
  return out + percentEncode(url.slice(last), URL_KEPT, false)
}

const URL_KEPT = /[A-Za-z0-9\-._~!#$&*+,/:;=?@[\]]/

/** For a value inside a query: everything but letters, digits and `-._~` becomes an escape. */
export const escapeUrlPart = (text: string): string => percentEncode(text, /[A-Za-z0-9\-._~]/, false)

function percentEncode(text: string, kept: RegExp, upperCase: boolean): string {
  let out = ''
  for (const byte of Buffer.from(text)) {
    const c = String.fromCharCode(byte)
    const hex = byte.toString(16).padStart(2, '0')
    out += byte < 0x80 && kept.test(c) ? c : `%${upperCase ? hex.toUpperCase() : hex}`
  }
  return out
}
