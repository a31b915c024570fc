import { goText } from './go-format.ts'
import { toGoJson } from './go-json.ts'
import { escapeJs, escapeUrlPart, normalizeUrl } from './html-escape.ts'
import { type GoValue, SafeText } from './values.ts'

type AttributeType = 'plain' | 'url' | 'script' | 'style'
type UrlPart = 'start' | 'path' | 'query'

type State =
  | { readonly kind: 'text' }
  | { readonly kind: 'comment' }
  /** Inside script, style, textarea or title, whose content is no markup. */
  | { readonly kind: 'raw'; readonly element: string; readonly quote: string }
  /** Inside a tag, between attributes. */
  | { readonly kind: 'tag'; readonly element: string }
  /** After an attribute's name. */
  | { readonly kind: 'name'; readonly element: string; readonly attribute: AttributeType }
  | {
      readonly kind: 'value'
      readonly element: string
      readonly attribute: AttributeType
      /** '' for a value without quotes. */
      readonly quote: string
      readonly urlPart: UrlPart
    }

const RAW_ELEMENTS = new Set(['script', 'style', 'textarea', 'title'])
const URL_ATTRIBUTES = new Set(
  'action archive background cite classid codebase data formaction href icon longdesc manifest poster profile src srcset usemap xmlns'.split(
    ' ',
  ),
)
// What html/template puts where a value could turn into code.
const REFUSED = 'ZgotmplZ'

/** Output of a template in HTML mode: follows the markup and escapes each value by where it stands. */
export class HtmlWriter {
  #out = ''
  #state: State = { kind: 'text' }

  get length(): number {
    return this.#out.length
  }

  text(text: string): void {
    let pos = 0
    while (pos < text.length) pos = this.#scan(text, pos)
  }

  value(value: GoValue): void {
    const state = this.#state
    switch (state.kind) {
      case 'text':
        this.#out += value instanceof SafeText && value.kind !== 'url' ? value.text : escapeText(plainText(value))
        return
      case 'comment':
        return
      case 'raw':
        this.#out += rawValue(state, value)
        return
      case 'tag':
        this.#out += /^[A-Za-z0-9-]+$/.test(plainText(value)) ? plainText(value) : REFUSED
        return
      case 'name':
        this.#state = { ...state, kind: 'value', quote: '', urlPart: 'start' }
        this.value(value)
        return
      case 'value':
        this.#attributeValue(state, value)
    }
  }

  result(): string {
    return this.#out
  }

  #attributeValue(state: State & { kind: 'value' }, value: GoValue): void {
    const escape = state.quote === '' ? escapeUnquoted : escapeText
    if (state.attribute === 'url') {
      this.#out += escape(urlValue(state.urlPart, value))
      if (state.urlPart === 'start') this.#state = { ...state, urlPart: 'path' }
      return
    }
    if (value instanceof SafeText && value.kind === 'escaped' && state.quote !== '') this.#out += value.text
    else if (state.attribute === 'script') this.#out += escape(scriptValue(value))
    else if (state.attribute === 'style') this.#out += escape(styleValue(value))
    else if (value instanceof SafeText && value.kind === 'html')
      this.#out += keepEntities(value.text.replace(/<[^>]*>/g, ''))
    else this.#out += escape(plainText(value))
  }

  // ---- following the markup --------------------------------------------------------------------------------------------

  /** Takes a piece of template text from `pos` and says where the next one begins. */
  #scan(text: string, pos: number): number {
    switch (this.#state.kind) {
      case 'text':
        return this.#scanText(text, pos)
      case 'comment':
        return this.#scanComment(text, pos)
      case 'raw':
        return this.#scanRaw(this.#state, text, pos)
      case 'tag':
        return this.#scanTag(this.#state, text, pos)
      case 'name':
        return this.#scanAfterName(this.#state, text, pos)
      case 'value':
        return this.#scanValue(this.#state, text, pos)
    }
  }

  #scanText(text: string, pos: number): number {
    const open = text.indexOf('<', pos)
    if (open < 0) return this.#keep(text, pos, text.length)
    this.#keep(text, pos, open)
    if (text.startsWith('<!--', open)) {
      this.#state = { kind: 'comment' } // Dropped from the output, as html/template does.
      return open + 4
    }
    const tag = /<(\/?)([A-Za-z][A-Za-z0-9:-]*)/y
    tag.lastIndex = open
    const match = tag.exec(text)
    if (!match) {
      this.#out += /^<!doctype/i.test(text.slice(open, open + 9)) ? '<' : '&lt;' // Opens nothing.
      return open + 1
    }
    const element = match[2]!.toLowerCase()
    this.#state = { kind: 'tag', element: match[1] === '/' ? '' : element }
    return this.#keep(text, open, open + match[0].length)
  }

  #scanComment(text: string, pos: number): number {
    const close = text.indexOf('-->', pos)
    if (close < 0) return text.length
    this.#state = { kind: 'text' }
    return close + 3
  }

  #scanRaw(state: State & { kind: 'raw' }, text: string, pos: number): number {
    const close = new RegExp(`</${state.element}`, 'i').exec(text.slice(pos))
    const end = close ? pos + close.index : text.length
    this.#state = close ? { kind: 'text' } : { ...state, quote: quoteAfter(state.quote, text.slice(pos, end)) }
    return this.#keep(text, pos, end)
  }

  #scanTag(state: State & { kind: 'tag' }, text: string, pos: number): number {
    const name = /[^\s/>=]+/y
    const gap = /[\s/=]*/y
    gap.lastIndex = pos
    const from = pos + gap.exec(text)![0].length
    if (from >= text.length) return this.#keep(text, pos, text.length)
    if (text[from] === '>') {
      this.#state = RAW_ELEMENTS.has(state.element)
        ? { kind: 'raw', element: state.element, quote: '' }
        : { kind: 'text' }
      return this.#keep(text, pos, from + 1)
    }
    name.lastIndex = from
    const attribute = name.exec(text)![0]
    this.#state = { kind: 'name', element: state.element, attribute: attributeType(attribute) }
    return this.#keep(text, pos, from + attribute.length)
  }

  #scanAfterName(state: State & { kind: 'name' }, text: string, pos: number): number {
    const { element, attribute } = state
    const assign = /\s*=\s*(["']?)/y
    assign.lastIndex = pos
    const match = assign.exec(text)
    if (!match) {
      this.#state = { kind: 'tag', element }
      return pos
    }
    const end = pos + match[0].length
    this.#state = { kind: 'value', element, attribute, quote: match[1]!, urlPart: 'start' }
    return this.#keep(text, pos, end)
  }

  #scanValue(state: State & { kind: 'value' }, text: string, pos: number): number {
    const close = state.quote === '' ? text.slice(pos).search(/[\s>]/) : text.slice(pos).indexOf(state.quote)
    const end = close < 0 ? text.length : pos + close
    const part = text.slice(pos, end)
    if (close >= 0) this.#state = { kind: 'tag', element: state.element }
    else if (/[?#]/.test(part)) this.#state = { ...state, urlPart: 'query' }
    else if (part.trim() !== '' && state.urlPart === 'start') this.#state = { ...state, urlPart: 'path' }
    return this.#keep(text, pos, close >= 0 && state.quote !== '' ? end + 1 : end)
  }

  #keep(text: string, from: number, to: number): number {
    this.#out += text.slice(from, to)
    return to
  }
}

function attributeType(name: string): AttributeType {
  const lower = name.toLowerCase()
  if (lower.startsWith('on')) return 'script'
  if (lower === 'style') return 'style'
  const base = lower.replace(/^data-/, '').replace(/^[^:]*:/, '')
  if (URL_ATTRIBUTES.has(lower) || URL_ATTRIBUTES.has(base) || lower.startsWith('xmlns:')) return 'url'
  return lower.startsWith('data-') && /src|uri|url/.test(lower) ? 'url' : 'plain'
}

/** Which quote a script is in after `text`; '' when in none. */
function quoteAfter(quote: string, text: string): string {
  let open = quote
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!
    if (open !== '' && c === '\\') i++
    else if (open === '' && /["'`]/.test(c)) open = c
    else if (c === open) open = ''
  }
  return open
}

/** html/template leaves nil out, where text/template prints `<no value>`. */
const plainText = (value: GoValue): string =>
  value === undefined || value === null ? '' : value instanceof SafeText ? value.text : goText(value)

function rawValue(state: State & { kind: 'raw' }, value: GoValue): string {
  if (state.element === 'script') return state.quote === '' ? scriptValue(value) : escapeJs(plainText(value))
  return state.element === 'style' ? styleValue(value) : escapeText(plainText(value))
}

/** JSON; a number or a word gets spaces, so that it cannot grow together with what stands beside it. */
function scriptValue(value: GoValue): string {
  const json = toGoJson(value instanceof SafeText ? value.text : value)
  return /^[\w$]|[\w$]$/.test(json) ? ` ${json} ` : json
}

const styleValue = (value: GoValue): string => (/^[\w\s#%.,-]*$/.test(plainText(value)) ? plainText(value) : REFUSED)

function urlValue(part: UrlPart, value: GoValue): string {
  const text = plainText(value)
  if (value instanceof SafeText && value.kind === 'url') return normalizeUrl(text)
  if (part === 'query') return escapeUrlPart(text)
  if (part === 'start' && !hasSafeScheme(text)) return `#${REFUSED}`
  return normalizeUrl(text)
}

function hasSafeScheme(url: string): boolean {
  const scheme = /^([^/:]*):/.exec(url)?.[1]
  return scheme === undefined || /^(?:https?|mailto)$/i.test(scheme)
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\ufffd',
  '"': '&#34;',
  '&': '&amp;',
  "'": '&#39;',
  '+': '&#43;',
  '<': '&lt;',
  '>': '&gt;',
}

const escapeText = (text: string): string => text.replace(/[\0"&'+<>]/g, (c) => ESCAPES[c]!)

const escapeUnquoted = (text: string): string =>
  text === '' ? REFUSED : text.replace(/[\0"&'+<>\s=`]/g, (c) => ESCAPES[c] ?? `&#${c.charCodeAt(0)};`)
const keepEntities = (text: string): string => text.replace(/[\0"'+<>]/g, (c) => ESCAPES[c]!)
