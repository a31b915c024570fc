// What can stand at the caret of a PromQL text, from the text before it: enough to offer names, without a parser.

export type CompletionKind = 'metric' | 'label' | 'value'

export interface CompletionContext {
  readonly kind: CompletionKind
  /** What has been typed of the word, and where it begins. */
  readonly prefix: string
  readonly start: number
  /** The metric whose braces the caret is in, '' where unknown. */
  readonly metric: string
  /** For `value`: the label whose value is being written. */
  readonly label: string
}

/** `undefined` inside a string that is no label value, a range or a number: nothing is offered there. */
export function completionAt(text: string, caret: number): CompletionContext | undefined {
  const before = text.slice(0, caret)
  const value = /([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)$/.exec(before)
  const braces = openBraces(before)
  if (value && braces !== undefined) {
    return { kind: 'value', label: value[1]!, prefix: value[2]!, start: caret - value[2]!.length, metric: braces }
  }
  if (insideString(before)) return undefined
  const word = /[a-zA-Z_:][\w:]*$/.exec(before)?.[0] ?? ''
  const start = caret - word.length
  const ahead = before.slice(0, start)
  if (/[\d.]$/.test(ahead) || (/\[[^\]]*$/.test(ahead) && !ahead.endsWith(']'))) return undefined
  if (braces !== undefined) return { kind: 'label', prefix: word, start, metric: braces, label: '' }
  if (/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*$/.test(ahead)) {
    return { kind: 'label', prefix: word, start, metric: '', label: '' }
  }
  return { kind: 'metric', prefix: word, start, metric: '', label: '' }
}

/** Best first: beginnings before words' beginnings before anything else that contains it; shorter before longer. */
export function rankCandidates(candidates: readonly string[], prefix: string, countMax: number): string[] {
  const wanted = prefix.toLowerCase()
  const ranked: { text: string; rank: number }[] = []
  for (const text of candidates) {
    const at = text.toLowerCase().indexOf(wanted)
    if (at < 0 || text === prefix) continue
    const rank = at === 0 ? 0 : text[at - 1] === '_' ? 1 : 2
    ranked.push({ text, rank })
  }
  ranked.sort((a, b) => a.rank - b.rank || a.text.length - b.text.length || (a.text < b.text ? -1 : 1))
  return ranked.slice(0, countMax).map(({ text }) => text)
}

/** Metric before the innermost brace still open, `undefined` outside of braces. */
function openBraces(before: string): string | undefined {
  const bare = before.replace(/"(?:[^"\\]|\\.)*"/g, (quoted) => ' '.repeat(quoted.length))
  const open = bare.lastIndexOf('{')
  if (open < 0 || bare.indexOf('}', open) >= 0) return undefined
  return /([a-zA-Z_:][\w:]*)\s*$/.exec(bare.slice(0, open))?.[1] ?? ''
}

function insideString(before: string): boolean {
  return (before.replace(/\\./g, '').match(/"/g)?.length ?? 0) % 2 === 1
}
