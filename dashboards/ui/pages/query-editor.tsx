// The expression's text area: coloured underneath, with names offered while typing and earlier expressions at hand.
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { type CompletionContext, completionAt, rankCandidates } from '../../model/completion.ts'
import { PROMQL_FUNCTIONS, tokenizePromql } from '../../model/promql-words.ts'
import type { MetricMetadata } from '../../model/recognise.ts'
import { labelNames, labelValues, metadata } from '../api/prometheus.ts'
import { readStorage, writeStorage } from '../state/storage.ts'

const HISTORY_KEY = 'belltower.queries'
const HISTORY_MAX = 50
const OFFERED_MAX = 12

interface Props {
  id: string
  value: string
  onRun: (expr: string) => void
}

export function QueryEditor({ id, value, onRun }: Props): JSX.Element {
  const [text, setText] = useState(value)
  const [offers, setOffers] = useState<Offers | undefined>(undefined)
  const [chosen, setChosen] = useState(0)
  const areaRef = useRef<HTMLTextAreaElement>(null)
  const caretRef = useRef<number | undefined>(undefined)
  const askedRef = useRef(0)
  useEffect(() => setText(value), [value])

  useLayoutEffect(() => {
    const area = areaRef.current!
    area.style.height = 'auto'
    area.style.height = `${area.scrollHeight + 2}px`
    if (caretRef.current === undefined) return
    area.setSelectionRange(caretRef.current, caretRef.current)
    caretRef.current = undefined
  }, [text])

  const run = () => {
    setOffers(undefined)
    remember(text)
    onRun(text)
  }
  const offer = async (source: string, caret: number, asked: boolean) => {
    const round = ++askedRef.current
    const context = completionAt(source, caret)
    // An empty word offers everything there is; wait for a letter unless the user asks.
    const wanted = context !== undefined && (asked || context.prefix !== '' || context.kind !== 'metric')
    const found = wanted ? await candidates(context) : undefined
    if (round !== askedRef.current) return
    setChosen(0)
    setOffers(found === undefined || found.items.length === 0 ? undefined : found)
  }
  const accept = (offered: Offers, item: string) => {
    const { start, prefix, kind } = offered.context
    const tail = kind === 'metric' && Object.hasOwn(PROMQL_FUNCTIONS, item) ? '(' : ''
    setText(text.slice(0, start) + item + tail + text.slice(start + prefix.length))
    caretRef.current = start + item.length + tail.length
    setOffers(undefined)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const offered = offers
    if (offered !== undefined && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault()
      const count = offered.items.length
      setChosen((chosen + (event.key === 'ArrowDown' ? 1 : count - 1)) % count)
    } else if (
      offered !== undefined &&
      (event.key === 'Tab' || (event.key === 'Enter' && !event.ctrlKey && !event.shiftKey))
    ) {
      event.preventDefault()
      accept(offered, offered.items[chosen]!.text)
    } else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault()
      run()
    } else if (event.key === 'Escape') setOffers(undefined)
    else if (event.key === ' ' && event.ctrlKey) {
      event.preventDefault()
      void offer(text, areaRef.current!.selectionStart, true)
    }
  }
  return (
    <div class="editor">
      <div class="editor-text">
        <Highlight text={text} />
        <textarea
          ref={areaRef}
          id={id}
          rows={1}
          value={text}
          class="mono"
          aria-label="Expression"
          placeholder="Expression, for example rate(node_cpu_seconds_total[1m]). Enter runs it."
          aria-autocomplete="list"
          {...(offers === undefined
            ? {}
            : { 'aria-controls': `${id}-offers`, 'aria-activedescendant': `${id}-offer-${chosen}` })}
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          onInput={(event) => {
            setText(event.currentTarget.value)
            void offer(event.currentTarget.value, event.currentTarget.selectionStart, false)
          }}
          onKeyDown={onKeyDown}
          onBlur={() => {
            askedRef.current++
            setOffers(undefined)
          }}
        />
        {offers !== undefined && (
          <ul class="popover offers" id={`${id}-offers`} role="listbox" aria-label="Completions">
            {offers.items.map((item, i) => (
              <li
                key={item.text}
                id={`${id}-offer-${i}`}
                role="option"
                aria-selected={i === chosen}
                onPointerDown={(event) => {
                  event.preventDefault()
                  accept(offers, item.text)
                }}
              >
                <span class="offer-text mono">{item.text}</span>
                <span class="offer-note">{item.note}</span>
              </li>
            ))}
          </ul>
        )}
      </div>
      <HistoryPicker
        onPick={(expr) => {
          setText(expr)
          onRun(expr)
        }}
      />
      <button type="button" class="button primary" onClick={run}>
        Run
      </button>
    </div>
  )
}

function Highlight({ text }: { text: string }): JSX.Element {
  const tokens = useMemo(() => tokenizePromql(text), [text])
  return (
    <pre class="editor-colors mono" aria-hidden="true">
      {tokens.map(({ kind, text: part }, i) =>
        kind === 'plain' ? (
          part
        ) : (
          <span key={i} class={`token-${kind}`}>
            {part}
          </span>
        ),
      )}
      {'\n'}
    </pre>
  )
}

function HistoryPicker({ onPick }: { onPick: (expr: string) => void }): JSX.Element | null {
  const entries = history()
  if (entries.length === 0) return null
  return (
    <select
      class="control history"
      aria-label="Earlier expressions"
      value=""
      onChange={(event) => {
        if (event.currentTarget.value !== '') onPick(event.currentTarget.value)
        event.currentTarget.value = ''
      }}
    >
      <option value="">History</option>
      {entries.map((expr) => (
        <option key={expr} value={expr}>
          {expr}
        </option>
      ))}
    </select>
  )
}

interface Offers {
  readonly context: CompletionContext
  readonly items: readonly { readonly text: string; readonly note: string }[]
}

async function candidates(context: CompletionContext): Promise<Offers> {
  const matcher = context.metric === '' ? undefined : context.metric
  if (context.kind === 'metric') {
    const [names, known] = await Promise.all([
      cached('names', () => labelValues('__name__')),
      cached('metadata', () => metadata()),
    ])
    const texts = rankCandidates([...Object.keys(PROMQL_FUNCTIONS), ...names], context.prefix, OFFERED_MAX)
    return { context, items: texts.map((text) => ({ text, note: PROMQL_FUNCTIONS[text] ?? metricNote(known, text) })) }
  }
  const key = `${context.kind} ${context.metric} ${context.label}`
  const texts = await cached(key, () =>
    context.kind === 'label' ? labelNames(matcher) : labelValues(context.label, matcher),
  )
  const usable = texts.filter((text) => text !== '__name__')
  return {
    context,
    items: rankCandidates(usable, context.prefix, OFFERED_MAX).map((text) => ({ text, note: context.kind })),
  }
}

function metricNote(known: Readonly<Record<string, readonly MetricMetadata[]>>, name: string): string {
  const [entry] = known[name] ?? known[name.replace(/_(?:bucket|count|sum)$/, '')] ?? []
  return entry === undefined ? '' : `${entry.type}: ${entry.help}`
}

const CACHE_MS = 60_000
const answers = new Map<string, { readonly atMs: number; readonly answer: Promise<unknown> }>()

/** A failed look-up offers nothing and is tried again. */
function cached<T extends object>(key: string, load: () => Promise<T>): Promise<T> {
  const known = answers.get(key)
  if (known !== undefined && Date.now() - known.atMs < CACHE_MS) return known.answer as Promise<T>
  const answer = load().catch(() => {
    answers.delete(key)
    return [] as unknown as T
  })
  answers.set(key, { atMs: Date.now(), answer })
  return answer
}

function history(): string[] {
  try {
    const stored: unknown = JSON.parse(readStorage(HISTORY_KEY) ?? '[]')
    return Array.isArray(stored) ? stored.filter((entry): entry is string => typeof entry === 'string') : []
  } catch {
    return []
  }
}

function remember(expr: string): void {
  if (expr.trim() === '') return
  writeStorage(
    HISTORY_KEY,
    JSON.stringify([expr, ...history().filter((entry) => entry !== expr)].slice(0, HISTORY_MAX)),
  )
}
