// A board: rows that fold, panels that fill the width, one panel alone when the address says so.
import type { JSX } from 'preact'
import type { BoardPanel, BoardRow } from '../../model/board.ts'
import { route, setParams } from '../state/route.ts'
import { Icon } from '../shell/icons.tsx'
import { PanelView } from './panel-view.tsx'

interface Props {
  rows: readonly BoardRow[]
  scrapeIntervalMs: number
  /** Distinguishes panels of two boards on one page. */
  scope?: string
}

export function BoardView({ rows, scrapeIntervalMs, scope = '' }: Props): JSX.Element {
  const { search } = route.value
  const folded = new Set((search.get('folded') ?? '').split(',').filter((id) => id !== ''))
  const viewed = search.get('viewPanel') ?? undefined
  const alone =
    viewed === undefined ? undefined : rows.flatMap((row) => row.panels).find((panel) => panel.id === viewed)
  const render = (panel: BoardPanel) => (
    <PanelView key={scope + panel.id} panel={panel} scrapeIntervalMs={scrapeIntervalMs} alone={panel === alone} />
  )
  if (alone !== undefined) return <div class="board board-alone">{render(alone)}</div>
  if (viewed !== undefined) return <></>
  const toggle = (id: string) => {
    if (folded.has(id)) folded.delete(id)
    else folded.add(id)
    setParams({ folded: folded.size === 0 ? undefined : [...folded].join(',') }, { replace: true })
  }
  return (
    <div class="board">
      {rows.map((row) => (
        <section class="board-row" key={row.id} aria-label={row.title}>
          <button
            type="button"
            class="row-title"
            data-row={row.id}
            aria-expanded={!folded.has(row.id)}
            onClick={() => toggle(row.id)}
          >
            <Icon name="chevron" />
            {row.title}
          </button>
          {!folded.has(row.id) && <div class="panels">{row.panels.map(render)}</div>}
        </section>
      ))}
    </div>
  )
}
