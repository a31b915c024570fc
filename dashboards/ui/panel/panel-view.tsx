// The frame of a panel: title, tools, states; what is inside comes from its kind. Queries wait until the panel is near the
// screen; the title is always there, so that the page can be searched.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { BoardPanel } from '../../model/board.ts'
import { expandIntervals } from '../../model/interval.ts'
import { pageHref, setParams } from '../state/route.ts'
import { shownRange } from '../state/time.ts'
import { Icon } from '../shell/icons.tsx'
import { Link } from '../shell/link.tsx'
import { BarsBody } from './bars.tsx'
import { LinesBody } from './lines.tsx'
import { intervalsOf } from './panel-data.ts'
import { StatBody } from './stat.tsx'
import { TableBody } from './table.tsx'

const NEAR_PX = 300
/** Widths are rounded to this, so that small changes of layout do not ask for other steps. */
const WIDTH_GRAIN_PX = 60

export interface BodyProps<P extends BoardPanel = BoardPanel> {
  panel: P
  active: boolean
  widthPx: number
  scrapeIntervalMs: number
  asTable: boolean
}

interface Props {
  panel: BoardPanel
  scrapeIntervalMs: number
  alone: boolean
}

export function PanelView({ panel, scrapeIntervalMs, alone }: Props): JSX.Element {
  const ref = useRef<HTMLElement>(null)
  const { near, widthPx } = useVicinity(ref)
  const [asTable, setAsTable] = useState(false)
  const body = { active: near, widthPx, scrapeIntervalMs, asTable }
  return (
    <article
      ref={ref}
      class={`panel panel-${panel.kind} span-${panel.span}`}
      data-panel-id={panel.id}
      aria-label={panel.title}
    >
      <header class="panel-head">
        <h3 class="panel-title">{panel.title}</h3>
        {panel.hint !== undefined && (
          <span class="hint" title={panel.hint} aria-label={panel.hint} role="note">
            <Icon name="info" />
          </span>
        )}
        <span class="panel-tools">
          {panel.kind === 'lines' && (
            <button
              type="button"
              class="tool"
              aria-pressed={asTable}
              title={asTable ? 'Show as chart' : 'Show as table'}
              aria-label={asTable ? 'Show as chart' : 'Show as table'}
              onClick={() => setAsTable(!asTable)}
            >
              <Icon name="table" />
            </button>
          )}
          <QueryLink panel={panel} widthPx={widthPx} scrapeIntervalMs={scrapeIntervalMs} />
          {panel.kind !== 'stat' && (
            <button
              type="button"
              class="tool"
              title={alone ? 'Back to all panels' : 'Show alone'}
              aria-label={alone ? 'Back to all panels' : 'Show alone'}
              onClick={() => setParams({ viewPanel: alone ? undefined : panel.id })}
            >
              <Icon name={alone ? 'shrink' : 'expand'} />
            </button>
          )}
        </span>
      </header>
      <div class="panel-body">
        {widthPx > 0 && panel.kind === 'lines' && <LinesBody panel={panel} {...body} />}
        {widthPx > 0 && panel.kind === 'stat' && <StatBody panel={panel} {...body} />}
        {widthPx > 0 && panel.kind === 'bars' && <BarsBody panel={panel} {...body} />}
        {widthPx > 0 && panel.kind === 'table' && <TableBody panel={panel} {...body} />}
      </div>
    </article>
  )
}

/** Opens every query of the panel on the query page, with its variables and windows filled in. */
function QueryLink({
  panel,
  widthPx,
  scrapeIntervalMs,
}: {
  panel: BoardPanel
  widthPx: number
  scrapeIntervalMs: number
}) {
  const range = shownRange.value
  const intervals = intervalsOf({ range, widthPx: widthPx || 600, scrapeIntervalMs })
  const search = new URLSearchParams()
  panel.queries.forEach(({ expr }, i) => {
    search.set(`g${i}.expr`, expandIntervals(expr, intervals))
    search.set(`g${i}.tab`, panel.kind === 'table' || panel.kind === 'bars' ? 'table' : 'graph')
    search.set(`g${i}.range_input`, `${Math.round((range.toMs - range.fromMs) / 1000)}s`)
  })
  return (
    <Link class="tool" href={pageHref('/query', search)} title="Open in query page" label="Open in query page">
      <Icon name="query" />
    </Link>
  )
}

function useVicinity(ref: { readonly current: HTMLElement | null }): { near: boolean; widthPx: number } {
  const [near, setNear] = useState(false)
  const [widthPx, setWidthPx] = useState(0)
  useEffect(() => {
    const element = ref.current!
    const seen = new IntersectionObserver(([entry]) => setNear(entry!.isIntersecting), { rootMargin: `${NEAR_PX}px` })
    const sized = new ResizeObserver(() => {
      setWidthPx(Math.max(WIDTH_GRAIN_PX, Math.round(element.clientWidth / WIDTH_GRAIN_PX) * WIDTH_GRAIN_PX))
    })
    seen.observe(element)
    sized.observe(element)
    return () => {
      seen.disconnect()
      sized.disconnect()
    }
  }, [])
  return { near, widthPx }
}
