// Ask anything: any number of expressions, each as a table of one instant or a graph over a range.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { decodeGraphUrl, EMPTY_PANEL, encodeGraphUrl, type QueryPanel } from '../../model/graph-url.ts'
import { Icon } from '../shell/icons.tsx'
import { Page } from '../shell/page.tsx'
import { navigate, pageHref, route } from '../state/route.ts'
import { QueryEditor } from './query-editor.tsx'
import { ExplainTree } from '../query/explain-tree.tsx'
import { RunningQueries } from '../query/running-queries.tsx'
import '../style/query.css'
import { GraphInputs, MomentInput } from './query-inputs.tsx'
import { GraphResult, TableResult } from './query-result.tsx'

export function QueryPage(): JSX.Element {
  const decoded = decodeGraphUrl(route.value.search)
  const panels = decoded.length === 0 ? [EMPTY_PANEL] : decoded
  const [showsRunning, setShowsRunning] = useState(false)
  const write = (next: readonly QueryPanel[]) => navigate(pageHref('/query', encodeGraphUrl(next)))
  const change = (i: number, panel: QueryPanel) => write(panels.map((one, at) => (at === i ? panel : one)))
  return (
    <Page title="Query">
      {panels.map((panel, i) => (
        <PanelCard
          key={i}
          index={i}
          panel={panel}
          onChange={(next) => change(i, next)}
          onCopy={() => write([...panels.slice(0, i + 1), panel, ...panels.slice(i + 1)])}
          {...(panels.length > 1 ? { onRemove: () => write(panels.filter((_, at) => at !== i)) } : {})}
        />
      ))}
      <button type="button" class="button" onClick={() => write([...panels, EMPTY_PANEL])}>
        <Icon name="plus" /> Add query
      </button>{' '}
      <button type="button" class="button" onClick={() => setShowsRunning(true)}>
        <Icon name="clock" /> Running queries
      </button>
      {showsRunning && <RunningQueries onClose={() => setShowsRunning(false)} />}
    </Page>
  )
}

interface CardProps {
  index: number
  panel: QueryPanel
  onChange: (panel: QueryPanel) => void
  onCopy: () => void
  onRemove?: () => void
}

function PanelCard({ index, panel, onChange, onCopy, onRemove }: CardProps): JSX.Element {
  const [runs, setRuns] = useState(0)
  const run = (expr: string) => {
    if (expr === panel.expr) setRuns(runs + 1)
    else onChange({ ...panel, expr })
  }
  return (
    <section class="card query-card" aria-label={`Query ${index + 1}`} data-panel-id={`g${index}`}>
      <QueryEditor id={`expr-${index}`} value={panel.expr} onRun={run} />
      <div class="query-tools">
        <span class="chips" role="tablist" aria-label="View">
          {(['table', 'graph'] as const).map((tab) => (
            <button
              key={tab}
              type="button"
              role="tab"
              class="chip"
              aria-selected={panel.tab === tab}
              onClick={() => onChange({ ...panel, tab })}
            >
              {tab === 'table' ? 'Table' : 'Graph'}
            </button>
          ))}
        </span>
        {panel.tab === 'graph' ? (
          <GraphInputs panel={panel} onChange={onChange} />
        ) : (
          <MomentInput panel={panel} onChange={onChange} />
        )}
        <span class="query-actions">
          <button
            type="button"
            class="control"
            aria-pressed={panel.explained === true}
            onClick={() => onChange({ ...panel, explained: panel.explained !== true })}
          >
            Explain
          </button>
          <CopyLink panel={panel} />
          <button
            type="button"
            class="control icon-only"
            title="Duplicate"
            aria-label="Duplicate query"
            onClick={onCopy}
          >
            <Icon name="plus" />
          </button>
          {onRemove && (
            <button type="button" class="control icon-only" title="Remove" aria-label="Remove query" onClick={onRemove}>
              <Icon name="close" />
            </button>
          )}
        </span>
      </div>
      {panel.explained === true && panel.expr.trim() !== '' && <ExplainTree panel={panel} runs={runs} />}
      {panel.expr.trim() === '' ? (
        <p class="state">Enter an expression. Ctrl+Space shows the names there are.</p>
      ) : panel.tab === 'graph' ? (
        <GraphResult index={index} panel={panel} runs={runs} onChange={onChange} />
      ) : (
        <TableResult panel={panel} runs={runs} />
      )}
    </section>
  )
}

/** An address that opens this query alone, its end fixed, so that others see the same. */
function CopyLink({ panel }: { panel: QueryPanel }): JSX.Element {
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    const nowMs = Math.floor(Date.now() / 1000) * 1000
    const fixed =
      panel.tab === 'graph'
        ? { ...panel, endMs: panel.endMs ?? nowMs }
        : { ...panel, momentMs: panel.momentMs ?? nowMs }
    const address = new URL(pageHref('/query', encodeGraphUrl([fixed])), location.href).href
    try {
      await navigator.clipboard.writeText(address)
      setCopied(true)
    } catch {
      // Clipboards are for secure pages only; the address bar is there for all.
      navigate(address)
    }
  }
  return (
    <button type="button" class="control" title="Copy a link to this query at this time" onClick={() => void copy()}>
      {copied ? 'Copied' : 'Share'}
    </button>
  )
}
