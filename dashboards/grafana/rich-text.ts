// Markdown and HTML of text panels as a tree of allowed elements. Nothing is ever handed to the browser as markup.

export interface RichElement {
  readonly tag: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly RichNode[]
}
export type RichNode = string | RichElement

const ALLOWED_TAGS: ReadonlySet<string> = new Set(
  'a abbr b blockquote br caption center code col colgroup dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp section small span strong sub summary sup table tbody td tfoot th thead tr u ul'.split(
    ' ',
  ),
)
/** Their content is not text for people. */
const DROPPED_WITH_CONTENT: ReadonlySet<string> = new Set([
  'script',
  'style',
  'iframe',
  'object',
  'embed',
  'svg',
  'math',
  'template',
  'noscript',
  'head',
  'title',
  'form',
  'select',
  'textarea',
  'video',
  'audio',
])
const VOID_TAGS: ReadonlySet<string> = new Set(['br', 'hr', 'img', 'col', 'input', 'meta', 'link', 'wbr'])
const ALLOWED_ATTRIBUTES: ReadonlySet<string> = new Set([
  'href',
  'title',
  'alt',
  'src',
  'width',
  'height',
  'colspan',
  'rowspan',
  'align',
  'start',
])
const DEPTH_MAX = 60
const NODES_MAX = 5000

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  copy: '©',
  mdash: '—',
  ndash: '–',
  hellip: '…',
  rarr: '→',
  larr: '←',
  bull: '•',
  middot: '·',
  times: '×',
}

/** Addresses that only lead somewhere: http, https, mailto, or relative. */
export function safeHref(href: string): string | undefined {
  // Browsers skip control characters and blanks inside a scheme.
  const bare = Array.from(href)
    .filter((character) => character > ' ' && character !== '\u007f')
    .join('')
  if (/^(?:https?:|mailto:|[/?#.])/i.test(bare)) return href.trim()
  return /^[a-z][a-z\d+.-]*:/i.test(bare) ? undefined : href.trim()
}

/** Pictures only where they are part of the text: nothing is fetched from elsewhere. */
function safeSource(source: string): string | undefined {
  return /^data:image\/(?:png|gif|jpeg|webp);base64,[\w+/=\s]+$/.test(source) ? source : undefined
}

export function parseHtml(html: string): RichNode[] {
  const root: { tag: string; attributes: Record<string, string>; children: RichNode[] } = {
    tag: '',
    attributes: {},
    children: [],
  }
  const open = [root]
  const token =
    /<!--[\s\S]*?(?:-->|$)|<!\w[^>]*>|<\/\s*([a-z][\w-]*)[^>]*>|<([a-z][\w-]*)((?:[^>"']|"[^"]*"|'[^']*')*)>|[^<]+|</gi
  let skipping: string | undefined
  let count = 0
  for (const match of html.matchAll(token)) {
    if (++count > NODES_MAX) break
    const [whole, closing, opening, rest = ''] = match
    const parent = open.at(-1)!
    if (closing !== undefined) {
      const name = closing.toLowerCase()
      if (skipping === name) skipping = undefined
      else if (skipping === undefined) close(open, name)
      continue
    }
    if (skipping !== undefined) continue
    if (opening === undefined) {
      if (!whole.startsWith('<!')) parent.children.push(decodeEntities(whole))
      continue
    }
    const tag = opening.toLowerCase()
    if (DROPPED_WITH_CONTENT.has(tag)) {
      if (!rest.endsWith('/')) skipping = tag
      continue
    }
    if (!ALLOWED_TAGS.has(tag)) continue
    const element = { tag, attributes: attributesOf(tag, rest), children: [] as RichNode[] }
    if (tag === 'img' && element.attributes.src === undefined) {
      if (element.attributes.alt) parent.children.push(element.attributes.alt)
      continue
    }
    parent.children.push(element)
    if (!VOID_TAGS.has(tag) && !rest.endsWith('/') && open.length < DEPTH_MAX) open.push(element)
  }
  return root.children
}

function close(open: { tag: string }[], name: string): void {
  for (let i = open.length - 1; i > 0; i--) {
    if (open[i]!.tag !== name) continue
    open.length = i
    return
  }
}

function attributesOf(tag: string, text: string): Record<string, string> {
  const out: Record<string, string> = {}
  for (const match of text.matchAll(/([a-z][\w-]*)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/gi)) {
    const name = match[1]!.toLowerCase()
    if (!ALLOWED_ATTRIBUTES.has(name)) continue
    const value = decodeEntities(match[2] ?? match[3] ?? match[4] ?? '')
    const safe = name === 'href' ? safeHref(value) : name === 'src' ? safeSource(value) : value
    if (safe !== undefined && (name !== 'src' || tag === 'img')) out[name] = safe
  }
  return out
}

export function decodeEntities(text: string): string {
  return text.replaceAll(
    /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{2,8}));/gi,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole
      const code = decimal !== undefined ? Number(decimal) : Number.parseInt(hex!, 16)
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : ''
    },
  )
}

const el = (tag: string, children: readonly RichNode[], attributes: Record<string, string> = {}): RichElement => ({
  tag,
  children,
  attributes,
})

/** The Markdown that dashboards use: headings, lists, tables, code, quotes, rules, links; HTML in it is filtered like HTML. */
export function parseMarkdown(text: string): RichNode[] {
  const lines = text.replaceAll('\r\n', '\n').split('\n')
  const out: RichNode[] = []
  let i = 0
  while (i < lines.length) {
    const line = lines[i]!
    const fence = /^\s*(```|~~~)/.exec(line)
    const heading = /^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$/.exec(line)
    if (line.trim() === '') i++
    else if (fence !== null) {
      const end = lines.findIndex((one, at) => at > i && one.trim().startsWith(fence[1]!))
      const stop = end < 0 ? lines.length : end
      out.push(el('pre', [el('code', [lines.slice(i + 1, stop).join('\n')])]))
      i = stop + 1
    } else if (heading !== null) {
      out.push(el(`h${heading[1]!.length}`, inline(heading[2]!)))
      i++
    } else if (/^\s{0,3}(?:[-*_]\s*){3,}$/.test(line)) {
      out.push(el('hr', []))
      i++
    } else if (/^\s*>/.test(line)) {
      const stop = endOf(lines, i, (one) => /^\s*>/.test(one))
      out.push(
        el(
          'blockquote',
          parseMarkdown(
            lines
              .slice(i, stop)
              .map((one) => one.replace(/^\s*>\s?/, ''))
              .join('\n'),
          ),
        ),
      )
      i = stop
    } else if (/^\s*(?:[-*+]|\d+[.)])\s+/.test(line)) {
      const stop = endOf(lines, i, (one) => /^\s*(?:[-*+]|\d+[.)])\s+/.test(one) || /^\s{2,}\S/.test(one))
      out.push(listOf(lines.slice(i, stop)))
      i = stop
    } else if (line.includes('|') && /^\s*\|?[\s:|-]*-[\s:|-]*$/.test(lines[i + 1] ?? '')) {
      const stop = endOf(lines, i, (one) => one.includes('|'))
      out.push(tableOf(lines.slice(i, stop)))
      i = stop
    } else if (/^\s*<[a-z!/]/i.test(line)) {
      const stop = endOf(lines, i, (one) => one.trim() !== '')
      out.push(...parseHtml(lines.slice(i, stop).join('\n')))
      i = stop
    } else {
      const stop = endOf(
        lines,
        i,
        (one, at) => one.trim() !== '' && (at === i || !/^\s{0,3}(?:#{1,6}\s|>|```|~~~)|^\s*[-*+]\s+/.test(one)),
      )
      out.push(el('p', inline(lines.slice(i, stop).join('\n'))))
      i = stop
    }
  }
  return out
}

function endOf(lines: readonly string[], from: number, belongs: (line: string, at: number) => boolean): number {
  let stop = from + 1
  while (stop < lines.length && belongs(lines[stop]!, stop)) stop++
  return stop
}

function listOf(lines: readonly string[]): RichElement {
  const ordered = /^\s*\d/.test(lines[0]!)
  const indent = /^\s*/.exec(lines[0]!)![0].length
  const items: string[][] = []
  for (const line of lines) {
    const marker = /^(\s*)(?:[-*+]|\d+[.)])\s+(.*)$/.exec(line)
    if (marker !== null && marker[1]!.length <= indent + 1) items.push([marker[2]!])
    else items.at(-1)?.push(line.slice(Math.min(indent + 2, /^\s*/.exec(line)![0].length)))
  }
  return el(
    ordered ? 'ol' : 'ul',
    items.map(([first = '', ...rest]) =>
      el('li', [...inline(first), ...(rest.length === 0 ? [] : parseMarkdown(rest.join('\n')))]),
    ),
  )
}

function tableOf(lines: readonly string[]): RichElement {
  const cells = (line: string) =>
    line
      .trim()
      .replaceAll(/^\||\|$/g, '')
      .split('|')
      .map((cell) => inline(cell.trim()))
  const row = (line: string, tag: string) =>
    el(
      'tr',
      cells(line).map((cell) => el(tag, cell)),
    )
  return el('table', [
    el('thead', [row(lines[0]!, 'th')]),
    el(
      'tbody',
      lines.slice(2).map((line) => row(line, 'td')),
    ),
  ])
}

const INLINE =
  /(`+)([\s\S]+?)\1|!\[([^\]]*)\]\([^)]*\)|\[((?:[^[\]]|\[[^\]]*\])*)\]\(\s*<?([^)\s>]*)>?(?:\s+"[^"]*")?\s*\)|\*\*([\s\S]+?)\*\*|__([\s\S]+?)__|\*([^*\s][^*]*)\*|\b_([^_\s][^_]*)_\b|~~([\s\S]+?)~~|(https?:\/\/[^\s<>()]+)|(<[a-z/!][^>]*>)|\\([\\`*_{}[\]()#+.!|>-])| {2,}\n/gi

function inline(text: string, depth = 0): RichNode[] {
  if (depth > 8) return [text]
  const out: RichNode[] = []
  // Tags inside a line are filtered together with the text between them.
  if (/<[a-z/][^>]*>/i.test(text) && !text.includes('`'))
    return parseHtml(text).flatMap((node) => styled(node, depth + 1))
  let end = 0
  for (const match of text.matchAll(INLINE)) {
    if (match.index > end) out.push(decodeEntities(text.slice(end, match.index)))
    end = match.index + match[0].length
    const [, , code, alt, label, href, strong, strong2, em, em2, del, url, , escaped] = match
    if (code !== undefined) out.push(el('code', [code]))
    else if (alt !== undefined) out.push(alt)
    else if (label !== undefined) {
      const safe = safeHref(href ?? '')
      out.push(safe === undefined ? label : el('a', inline(label, depth + 1), { href: safe }))
    } else if (strong !== undefined || strong2 !== undefined)
      out.push(el('strong', inline((strong ?? strong2)!, depth + 1)))
    else if (em !== undefined || em2 !== undefined) out.push(el('em', inline((em ?? em2)!, depth + 1)))
    else if (del !== undefined) out.push(el('del', inline(del, depth + 1)))
    else if (url !== undefined) out.push(el('a', [url], { href: url }))
    else if (escaped !== undefined) out.push(escaped)
    else if (match[0].endsWith('\n')) out.push(el('br', []))
  }
  if (end < text.length) out.push(decodeEntities(text.slice(end)))
  return out
}

function styled(node: RichNode, depth: number): RichNode[] {
  if (typeof node === 'string') return node.includes('<') ? [node] : inline(node, depth)
  return [{ ...node, children: node.children.flatMap((child) => styled(child, depth + 1)) }]
}
