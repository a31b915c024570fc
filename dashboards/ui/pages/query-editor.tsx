// The expression's field: a plain text area that becomes the editor as soon as that is loaded, and earlier expressions at hand.
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { tokenizePromql } from '../../model/promql-words.ts'
import { Icon } from '../shell/icons.tsx'
import { MetricBrowser } from '../query/metric-browser.tsx'
import { queryHistory, rememberQuery } from '../query/history.ts'
import type { mountPromqlEditor, PromqlEditor } from '../query/promql-editor.ts'

const LABEL = 'Expression'
const HINT = 'Expression, for example rate(node_cpu_seconds_total[1m]). Enter runs it.'

interface Props {
  id: string
  value: string
  onRun: (expr: string) => void
}

export function QueryEditor({ id, value, onRun }: Props): JSX.Element {
  const [text, setText] = useState(value)
  const [browsing, setBrowsing] = useState(false)
  const [mount, setMount] = useState<typeof mountPromqlEditor | undefined>(undefined)
  const areaRef = useRef<HTMLTextAreaElement>(null)
  const boxRef = useRef<HTMLDivElement>(null)
  const editorRef = useRef<PromqlEditor | undefined>(undefined)
  const asked = useRef(value)
  const ask = (expr: string) => {
    asked.current = expr
    rememberQuery(expr)
    onRun(expr)
  }
  const run = () => ask(text)
  const latest = useRef({ text, run, selection: [0, 0] as [number, number], hadFocus: false })
  latest.current.text = text
  latest.current.run = run
  // The address answers a run a little later; what was typed on meanwhile stays. Only what others put there is shown.
  useEffect(() => {
    if (value === asked.current) return
    asked.current = value
    show(value)
  }, [value])

  const show = (next: string) => {
    setText(next)
    editorRef.current?.setText(next)
  }
  const insert = (part: string) => {
    const area = areaRef.current
    if (area === null) editorRef.current?.insert(part)
    else setText(text.slice(0, area.selectionStart) + part + text.slice(area.selectionEnd))
  }
  useLayoutEffect(() => {
    const area = areaRef.current
    if (area === null) return
    area.style.height = 'auto'
    area.style.height = `${area.scrollHeight + 2}px`
  }, [text])
  useLayoutEffect(() => {
    if (mount === undefined) return
    const { current } = latest
    const editor = mount(boxRef.current!, {
      text: current.text,
      selection: current.selection,
      label: LABEL,
      hint: HINT,
      onChange: setText,
      onRun: () => latest.current.run(),
    })
    editorRef.current = editor
    if (current.hadFocus) editor.focus()
    return () => {
      editorRef.current = undefined
      editor.destroy()
    }
  }, [mount])
  const load = () => {
    import('../query/promql-editor.ts').then(
      ({ mountPromqlEditor: loaded }) => {
        const area = areaRef.current
        if (area === null) return
        latest.current.selection = [area.selectionStart, area.selectionEnd]
        latest.current.hadFocus = document.activeElement === area
        setMount(() => loaded)
      },
      // The text area goes on working where the editor cannot be loaded.
      () => undefined,
    )
  }
  return (
    <div class="editor">
      {mount !== undefined ? (
        <div class="editor-text" ref={boxRef} key="editor" />
      ) : (
        <div class="editor-text" key="area">
          <Highlight text={text} />
          <textarea
            ref={areaRef}
            id={id}
            rows={1}
            value={text}
            class="mono"
            aria-label={LABEL}
            placeholder={HINT}
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            onFocus={load}
            onInput={(event) => setText(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== 'Enter' || event.shiftKey) return
              event.preventDefault()
              run()
            }}
          />
        </div>
      )}
      <button
        type="button"
        class="control icon-only"
        title="Metrics"
        aria-label="Browse metrics"
        onClick={() => setBrowsing(true)}
      >
        <Icon name="search" />
      </button>
      {browsing && (
        <MetricBrowser
          onClose={() => setBrowsing(false)}
          onPick={(name) => {
            setBrowsing(false)
            insert(selectorOf(name))
          }}
        />
      )}
      <HistoryPicker
        onPick={(expr) => {
          show(expr)
          ask(expr)
        }}
      />
      <button type="button" class="button primary" onClick={run}>
        Run
      </button>
    </div>
  )
}

/** Names that PromQL cannot write bare are quoted. */
function selectorOf(metric: string): string {
  return /^[a-zA-Z_:][\w:]*$/.test(metric) ? metric : `{${JSON.stringify(metric)}}`
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
  const entries = queryHistory()
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
