// The query page's state as Prometheus' links write it: `g0.expr=…&g0.tab=…`, any number of panels, old numeric tabs too.
import { formatDuration } from '../../model/duration.ts'
import { tryParseDuration } from './interval.ts'

export type GraphTab = 'table' | 'graph'

export interface QueryPanel {
  readonly expr: string
  readonly tab: GraphTab
  readonly rangeMs: number
  /** Right edge of the graph, Unix milliseconds; absent = now. */
  readonly endMs?: number
  /** Instant of the table, Unix milliseconds; absent = now. */
  readonly momentMs?: number
  /** Fixed resolution; absent = from the chart's width. */
  readonly stepMs?: number
  readonly stacked: boolean
  /** The plan of the query is shown beside its answer. */
  readonly explained?: boolean
}

export const EMPTY_PANEL: QueryPanel = { expr: '', tab: 'graph', rangeMs: 3_600_000, stacked: false }
const PANELS_MAX = 50

export function decodeGraphUrl(search: URLSearchParams): QueryPanel[] {
  const panels: QueryPanel[] = []
  for (let i = 0; i < PANELS_MAX && search.has(`g${i}.expr`); i++) {
    panels.push(decodePanel((name) => search.get(`g${i}.${name}`) ?? undefined))
  }
  return panels
}

export function encodeGraphUrl(panels: readonly QueryPanel[]): URLSearchParams {
  const search = new URLSearchParams()
  panels.forEach((panel, i) => {
    const set = (name: string, value: string | undefined) => {
      if (value !== undefined) search.set(`g${i}.${name}`, value)
    }
    set('expr', panel.expr)
    set('tab', panel.tab)
    set('range_input', formatDuration(panel.rangeMs))
    set('end_input', formatInstant(panel.endMs))
    set('moment_input', formatInstant(panel.momentMs))
    if (panel.stepMs !== undefined) {
      set('res_type', 'fixed')
      set('res_step', String(panel.stepMs / 1000))
    }
    if (panel.stacked) set('display_mode', 'stacked')
    if (panel.explained === true) set('show_tree', '1')
  })
  return search
}

function decodePanel(get: (name: string) => string | undefined): QueryPanel {
  const endMs = parseInstant(get('end_input'))
  const momentMs = parseInstant(get('moment_input'))
  const stepMs = parseStep(get('res_type'), get('res_step') ?? get('step_input'))
  return {
    expr: get('expr') ?? '',
    tab: decodeTab(get('tab')),
    rangeMs: tryParseDuration(get('range_input') ?? '') || EMPTY_PANEL.rangeMs,
    stacked: get('display_mode') === 'stacked' || get('stacked') === '1',
    ...(endMs === undefined ? {} : { endMs }),
    ...(momentMs === undefined ? {} : { momentMs }),
    ...(stepMs === undefined ? {} : { stepMs }),
    ...(get('show_tree') === '1' ? { explained: true } : {}),
  }
}

/** Prometheus 2 counted 0 = graph, 1 = table (its default); later versions write the name. */
function decodeTab(text: string | undefined): GraphTab {
  return text === '0' || text === 'graph' ? 'graph' : 'table'
}

/** Steps are seconds or a duration; a density (`auto`) is left to the chart's width. */
function parseStep(type: string | undefined, text: string | undefined): number | undefined {
  if (text === undefined || type === 'auto') return undefined
  const stepMs = /^[\d.]+$/.test(text) ? Number(text) * 1000 : tryParseDuration(text)
  return stepMs !== undefined && stepMs > 0 ? stepMs : undefined
}

/** Instants are UTC, `2024-03-13 14:35:42`, as Prometheus writes them. */
function parseInstant(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  const instantMs = Date.parse(`${text.trim().replace(' ', 'T').replace(/Z$/, '')}Z`)
  return Number.isNaN(instantMs) ? undefined : instantMs
}

function formatInstant(instantMs: number | undefined): string | undefined {
  return instantMs === undefined ? undefined : new Date(instantMs).toISOString().slice(0, 19).replace('T', ' ')
}
