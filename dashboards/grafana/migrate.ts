// Brings a board of any age into the present form of Grafana's JSON: flat panels on a grid of 24 columns, typed mappings,
// `{type, uid}` data sources. Layout and panel types are brought forward apart from each other, because boards in the wild
// mix old layouts with new panels.
import { AppError } from '../../lib/errors.ts'
import { compact, flagOf, isObject, type Json, listOf, numberOf, objectOf, objectsOf, textOf } from './json.ts'
import { migratePanel } from './migrate-panel.ts'
import { fromV2, isV2 } from './migrate-v2.ts'

/** What was given is no dashboard. */
export class DashboardFormatError extends AppError {
  override readonly code = 'ERR_DASHBOARD_FORMAT'
  override readonly httpStatus = 400
}

export const SCHEMA_VERSION = 42
const GRID_COLUMNS = 24
const ROW_UNIT_PX = 38
const OLD_ROW_PX = 250
const OLD_ROW_MIN_PX = 90

/**
 * @param input a board, or one wrapped as `{dashboard}` or `{spec}`; not changed
 * @throws {DashboardFormatError} where it is no JSON object with anything of a board in it
 */
export function migrateDashboard(input: unknown): Json {
  const board = unwrapped(input)
  const oldRows = objectsOf(board.rows)
  const panels = oldRows.length > 0 ? [...objectsOf(board.panels), ...panelsOfRows(oldRows)] : objectsOf(board.panels)
  const { rows: _rows, services: _services, hideControls: _hide, sharedCrosshair, nav: _nav, ...rest } = board
  const variables = [
    ...objectsOf(at2(board.templating, 'list')),
    ...objectsOf(at2(at2(board.services, 'filter'), 'list')),
  ]
  return compact({
    ...rest,
    schemaVersion: SCHEMA_VERSION,
    graphTooltip: numberOf(board.graphTooltip) ?? (flagOf(sharedCrosshair) ? 1 : 0),
    refresh: typeof board.refresh === 'string' ? board.refresh : '',
    time: isObject(board.time) ? board.time : (at2(at2(board.services, 'filter'), 'time') ?? undefined),
    templating: { list: variables.map(migrateVariable) },
    panels: withIds(panels.filter((panel) => panel.repeatPanelId === undefined).map(migratePanelTree)),
  })
}

function at2(value: unknown, name: string): unknown {
  return objectOf(value)[name]
}

function unwrapped(input: unknown): Json {
  if (!isObject(input)) throw new DashboardFormatError('a dashboard is a JSON object')
  const copy = structuredClone(input)
  if (isV2(copy)) return fromV2(copy)
  if (isObject(copy.dashboard)) return copy.dashboard
  if (isObject(copy.spec) && (Array.isArray(copy.spec.panels) || typeof copy.spec.title === 'string')) return copy.spec
  if (!Array.isArray(copy.panels) && !Array.isArray(copy.rows) && typeof copy.title !== 'string') {
    throw new DashboardFormatError('no dashboard: it has neither panels nor rows nor a title')
  }
  return copy
}

function migratePanelTree(panel: Json): Json {
  const migrated = migratePanel(panel)
  if (migrated.type !== 'row') return migrated
  return { ...migrated, panels: objectsOf(migrated.panels).map(migratePanel) }
}

/** Panels without an id, or with one that is taken, get the next free one: addresses name panels by it. */
function withIds(panels: readonly Json[]): Json[] {
  const taken = new Set<number>()
  const all = panels.flatMap((panel) => [panel, ...objectsOf(panel.panels)])
  let next = Math.max(0, ...all.map((panel) => numberOf(panel.id) ?? 0)) + 1
  const give = (panel: Json): Json => {
    const id = numberOf(panel.id)
    const own = id === undefined || taken.has(id) ? next++ : id
    taken.add(own)
    return { ...panel, id: own }
  }
  return panels.map((panel) => ({
    ...give(panel),
    ...(panel.panels === undefined ? {} : { panels: objectsOf(panel.panels).map(give) }),
  }))
}

/** Rows of twelfths become panels on the grid; row panels only where a row is titled, folded or repeated. */
function panelsOfRows(rows: readonly Json[]): Json[] {
  const withRowPanels = rows.some((row) => flagOf(row.collapse) || flagOf(row.showTitle) || textOf(row.repeat) !== '')
  const out: Json[] = []
  let top = 0
  for (const row of rows) {
    const heightPx = Math.max(pixels(row.height) ?? OLD_ROW_PX, OLD_ROW_MIN_PX)
    const height = Math.ceil(heightPx / ROW_UNIT_PX)
    const folded = flagOf(row.collapse)
    const rowPanel: Json = {
      type: 'row',
      title: textOf(row.title),
      collapsed: folded,
      gridPos: { x: 0, y: top, w: GRID_COLUMNS, h: 1 },
      ...(textOf(row.repeat) === '' ? {} : { repeat: row.repeat }),
      panels: [],
    }
    if (withRowPanels) top++
    const { placed, usedHeight } = placeSpans(objectsOf(row.panels), top, height)
    if (withRowPanels) out.push(folded ? { ...rowPanel, panels: placed } : rowPanel)
    if (!folded || !withRowPanels) out.push(...placed)
    top += folded ? 0 : usedHeight
  }
  return out
}

function placeSpans(panels: readonly Json[], top: number, height: number): { placed: Json[]; usedHeight: number } {
  let x = 0
  let y = top
  let lineHeight = height
  const placed = panels
    .filter((panel) => panel.repeatPanelId === undefined)
    .map((panel) => {
      const w = Math.min(GRID_COLUMNS, Math.max(1, Math.floor((numberOf(panel.span) ?? 12) * 2)))
      const ownPx = pixels(panel.height)
      const h = ownPx === undefined ? height : Math.ceil(Math.max(ownPx, OLD_ROW_MIN_PX) / ROW_UNIT_PX)
      if (x + w > GRID_COLUMNS) {
        x = 0
        y += lineHeight
        lineHeight = h
      }
      const gridPos = { x, y, w, h }
      x += w
      lineHeight = Math.max(lineHeight, h)
      const { span: _span, minSpan, ...rest } = panel
      const perRow = numberOf(minSpan)
      return { ...rest, gridPos, ...(perRow ? { maxPerRow: Math.max(1, Math.round(12 / perRow)) } : {}) }
    })
  return { placed, usedHeight: placed.length === 0 ? 0 : y + lineHeight - top }
}

function pixels(value: unknown): number | undefined {
  return numberOf(typeof value === 'string' ? value.replace(/px$/, '') : value)
}

function migrateVariable(variable: Json): Json {
  const hide = numberOf(variable.hide) ?? (flagOf(variable.hideVariable) ? 2 : flagOf(variable.hideLabel) ? 1 : 0)
  // A constant that can be seen was meant to be changed.
  const type = variable.type === 'constant' && hide !== 2 ? 'textbox' : textOf(variable.type, 'query')
  const refresh = variable.refresh === true ? 1 : (numberOf(variable.refresh) ?? 0)
  const { hideVariable: _hv, hideLabel: _hl, ...rest } = variable
  return { ...rest, type, hide, refresh, options: listOf(variable.options) }
}
