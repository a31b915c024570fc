// A board as the pages use it: the migrated JSON with every field that matters read and checked once.
import { flagOf, isObject, type Json, numberOf, objectOf, objectsOf, textOf, textsOf } from './json.ts'
import { migrateDashboard } from './migrate.ts'
import { placeholderReason } from './placeholder.ts'
import { readVariable, type Variable } from './variable.ts'

export interface GridPos {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

export interface Target {
  readonly refId: string
  readonly expr: string
  readonly legend: string
  readonly hide: boolean
  readonly instant: boolean
  readonly range: boolean
  readonly format: 'time_series' | 'table' | 'heatmap'
  /** Smallest step, as written; may hold variables. */
  readonly interval: string
  readonly intervalFactor: number
}

export interface Override {
  readonly matcher: { readonly id: string; readonly options: unknown }
  readonly properties: readonly { readonly id: string; readonly value: unknown }[]
}

export interface FieldConfig {
  readonly defaults: Json
  readonly overrides: readonly Override[]
}

export interface Transformation {
  readonly id: string
  readonly options: Json
  readonly disabled: boolean
  /** Where set, only frames of this query take part. */
  readonly refId: string | undefined
}

export interface BoardLink {
  readonly title: string
  readonly url: string
  readonly targetBlank: boolean
  readonly keepTime: boolean
  readonly includeVars: boolean
  /** Dashboards with all of these tags, in place of one address. */
  readonly tags: readonly string[]
  readonly asDropdown: boolean
}

export interface DashPanel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description: string
  readonly gridPos: GridPos
  readonly transparent: boolean
  readonly targets: readonly Target[]
  readonly fieldConfig: FieldConfig
  readonly options: Json
  readonly transformations: readonly Transformation[]
  readonly links: readonly BoardLink[]
  /** Smallest step and number of points, as written. */
  readonly interval: string
  readonly maxDataPoints: number | undefined
  readonly timeFrom: string
  readonly timeShift: string
  readonly repeat: string
  readonly repeatDirection: 'h' | 'v'
  readonly maxPerRow: number
  /** Panel whose result is shown again here. */
  readonly sharedPanelId: number | undefined
  /** Why the panel cannot be drawn; `undefined` where it can. */
  readonly placeholder: string | undefined
  /** The migrated JSON it was read from, for editing. */
  readonly json: Json
}

export interface BoardSection {
  /** `undefined` for the panels above the first row. */
  readonly row:
    | { readonly id: number; readonly title: string; readonly collapsed: boolean; readonly repeat: string }
    | undefined
  readonly panels: readonly DashPanel[]
}

export interface AnnotationQuery {
  readonly name: string
  readonly expr: string
  readonly step: string
  readonly titleFormat: string
  readonly textFormat: string
  readonly tagKeys: string
  readonly useValueForTime: boolean
  readonly iconColor: string
  readonly enabled: boolean
  readonly hide: boolean
  /** Panels it is limited to or kept from. */
  readonly panelIds: readonly number[]
  readonly exclude: boolean
}

export interface DashboardModel {
  readonly uid: string
  readonly title: string
  readonly description: string
  readonly tags: readonly string[]
  readonly timezone: string
  /** `monday`, `sunday`, `saturday`; '' = the reader's. */
  readonly weekStart: string
  readonly editable: boolean
  /** 0 = every panel for itself, 1 = shared crosshair, 2 = shared crosshair and tooltip. */
  readonly graphTooltip: number
  readonly time: { readonly from: string; readonly to: string }
  readonly refresh: string
  readonly refreshIntervals: readonly string[]
  readonly variables: readonly Variable[]
  readonly annotations: readonly AnnotationQuery[]
  readonly links: readonly BoardLink[]
  readonly sections: readonly BoardSection[]
  readonly json: Json
}

/** @param input any version's JSON. @throws {DashboardFormatError} where it is none */
export function readDashboard(input: unknown): DashboardModel {
  const json = migrateDashboard(input)
  const time = objectOf(json.time)
  const variables = objectsOf(objectOf(json.templating).list).map(readVariable)
  return {
    uid: textOf(json.uid),
    title: textOf(json.title, 'Untitled'),
    description: textOf(json.description),
    tags: textsOf(json.tags),
    timezone: textOf(json.timezone),
    weekStart: textOf(json.weekStart),
    editable: json.editable !== false,
    graphTooltip: numberOf(json.graphTooltip) ?? 0,
    time: { from: textOf(time.from, 'now-6h'), to: textOf(time.to, 'now') },
    refresh: textOf(json.refresh),
    refreshIntervals: textsOf(objectOf(json.timepicker).refresh_intervals),
    variables,
    annotations: objectsOf(objectOf(json.annotations).list).flatMap(readAnnotation),
    links: objectsOf(json.links).map(readLink),
    sections: readSections(objectsOf(json.panels), variables),
    json,
  }
}

/** Panels in reading order; those below a row belong to it until the next one. */
function readSections(panels: readonly Json[], variables: readonly Variable[]): BoardSection[] {
  const ordered = panels
    .map((panel, i) => ({ panel, place: gridPosOf(panel), i }))
    .sort((a, b) => a.place.y - b.place.y || a.place.x - b.place.x || a.i - b.i)
  const sections: { row: BoardSection['row']; panels: DashPanel[] }[] = [{ row: undefined, panels: [] }]
  for (const { panel } of ordered) {
    if (panel.type !== 'row') sections.at(-1)!.panels.push(readPanel(panel, variables))
    else {
      const inner = objectsOf(panel.panels)
      sections.push({
        row: {
          id: numberOf(panel.id) ?? 0,
          title: textOf(panel.title),
          collapsed: flagOf(panel.collapsed),
          repeat: textOf(panel.repeat),
        },
        panels: inner.map((one) => readPanel(one, variables)),
      })
    }
  }
  return sections.filter(({ row, panels: inside }) => row !== undefined || inside.length > 0)
}

function gridPosOf(panel: Json): GridPos {
  const place = objectOf(panel.gridPos)
  const w = Math.min(24, Math.max(1, numberOf(place.w) ?? 12))
  return {
    x: Math.min(24 - w, Math.max(0, numberOf(place.x) ?? 0)),
    y: Math.max(0, numberOf(place.y) ?? 0),
    w,
    h: Math.max(1, numberOf(place.h) ?? 8),
  }
}

export function readPanel(panel: Json, variables: readonly Variable[]): DashPanel {
  const fieldConfig = objectOf(panel.fieldConfig)
  const shared = objectsOf(panel.targets).find((target) => numberOf(target.panelId) !== undefined)
  return {
    id: numberOf(panel.id) ?? 0,
    type: textOf(panel.type),
    title: textOf(panel.title),
    description: textOf(panel.description),
    gridPos: gridPosOf(panel),
    transparent: flagOf(panel.transparent),
    targets: objectsOf(panel.targets)
      .filter((target) => typeof target.expr === 'string')
      .map((target) => readTarget(target, textOf(panel.type))),
    fieldConfig: {
      defaults: objectOf(fieldConfig.defaults),
      overrides: objectsOf(fieldConfig.overrides).map((override) => ({
        matcher: { id: textOf(objectOf(override.matcher).id), options: objectOf(override.matcher).options },
        properties: objectsOf(override.properties).map(({ id, value }) => ({ id: textOf(id), value })),
      })),
    },
    options: objectOf(panel.options),
    transformations: objectsOf(panel.transformations).map(readTransformation),
    links: objectsOf(panel.links).map(readLink),
    interval: textOf(panel.interval),
    maxDataPoints: numberOf(panel.maxDataPoints),
    timeFrom: textOf(panel.timeFrom),
    timeShift: textOf(panel.timeShift),
    repeat: textOf(panel.repeat),
    repeatDirection: panel.repeatDirection === 'v' ? 'v' : 'h',
    maxPerRow: numberOf(panel.maxPerRow) ?? 4,
    sharedPanelId: shared === undefined ? undefined : numberOf(shared.panelId),
    placeholder: placeholderReason(panel, variables),
    json: panel,
  }
}

function readTarget(target: Json, panelType: string): Target {
  const instant = flagOf(target.instant)
  const format = target.format === 'table' ? 'table' : target.format === 'heatmap' ? 'heatmap' : 'time_series'
  return {
    refId: textOf(target.refId, 'A'),
    expr: textOf(target.expr),
    legend: textOf(target.legendFormat),
    hide: flagOf(target.hide),
    instant,
    // Neither set, as in old boards, means a range; both set means both.
    range: target.range === undefined ? !instant : flagOf(target.range) || !instant,
    format: panelType === 'heatmap' && target.format === undefined ? 'time_series' : format,
    interval: textOf(target.interval),
    intervalFactor: Math.max(1, numberOf(target.intervalFactor) ?? 1),
  }
}

function readTransformation(one: Json): Transformation {
  const filter = objectOf(one.filter)
  return {
    id: textOf(one.id),
    options: objectOf(one.options),
    disabled: flagOf(one.disabled),
    refId: filter.id === 'byRefId' ? textOf(filter.options) : undefined,
  }
}

function readLink(link: Json): BoardLink {
  return {
    title: textOf(link.title),
    url: textOf(link.url) || dashboardLink(link),
    targetBlank: flagOf(link.targetBlank),
    keepTime: flagOf(link.keepTime),
    includeVars: flagOf(link.includeVars),
    tags: link.type === 'dashboards' ? textsOf(link.tags) : [],
    asDropdown: flagOf(link.asDropdown),
  }
}

/** Links of first panels named a board in place of an address. */
function dashboardLink(link: Json): string {
  const uri = textOf(link.dashUri)
  return uri === '' ? '' : `dashboard/${uri}`
}

function readAnnotation(annotation: Json): AnnotationQuery[] {
  const target = objectOf(annotation.target)
  const expr = textOf(annotation.expr) || textOf(target.expr)
  const source = objectOf(annotation.datasource)
  if (expr === '' || (isObject(annotation.datasource) && !['', 'prometheus'].includes(textOf(source.type)))) return []
  const filter = objectOf(annotation.filter)
  return [
    {
      name: textOf(annotation.name),
      expr,
      step: textOf(annotation.step) || textOf(target.interval),
      titleFormat: textOf(annotation.titleFormat),
      textFormat: textOf(annotation.textFormat),
      tagKeys: textOf(annotation.tagKeys),
      useValueForTime: annotation.useValueForTime === true || annotation.useValueForTime === 'on',
      iconColor: textOf(annotation.iconColor, 'blue'),
      enabled: annotation.enable !== false,
      hide: flagOf(annotation.hide),
      panelIds: Array.isArray(filter.ids) ? filter.ids.map(Number) : [],
      exclude: flagOf(filter.exclude),
    },
  ]
}
