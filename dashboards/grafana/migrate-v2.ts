// The newest form keeps panels apart from their places; here they come together again.
import { compact, isObject, type Json, numberOf, objectOf, objectsOf, textOf } from './json.ts'

const VARIABLE_TYPES: Readonly<Record<string, string>> = {
  QueryVariable: 'query',
  DatasourceVariable: 'datasource',
  IntervalVariable: 'interval',
  TextVariable: 'textbox',
  CustomVariable: 'custom',
  ConstantVariable: 'constant',
  AdhocVariable: 'adhoc',
  GroupByVariable: 'groupby',
}
const HIDE: Readonly<Record<string, number>> = { dontHide: 0, hideLabel: 1, hideVariable: 2 }
const SORTS = [
  'disabled',
  'alphabeticalAsc',
  'alphabeticalDesc',
  'numericalAsc',
  'numericalDesc',
  'alphabeticalCaseInsensitiveAsc',
  'alphabeticalCaseInsensitiveDesc',
]
const AUTO_HEIGHT = 9
const COLUMNS = 24

export function isV2(board: Json): boolean {
  const spec = isObject(board.spec) ? board.spec : board
  return isObject(spec.elements) && isObject(spec.layout)
}

/** The uid a board states, '' for none; resources have it as their name. */
export function boardUid(board: Json): string {
  return textOf(board.uid) || (isV2(board) ? textOf(objectOf(board.metadata).name) : '')
}

/** @param board a resource with `spec`, or the spec itself; its kinds are those of the v2 preview */
export function fromV2(board: Json): Json {
  const spec = isObject(board.spec) ? board.spec : board
  const settings = objectOf(spec.timeSettings)
  const elements = objectOf(spec.elements)
  return compact({
    uid: boardUid(board) || undefined,
    title: spec.title,
    description: spec.description,
    tags: spec.tags,
    editable: spec.editable,
    links: spec.links,
    graphTooltip: ['Off', 'Crosshair', 'Tooltip'].indexOf(textOf(spec.cursorSync, 'Off')),
    time: { from: settings.from ?? 'now-6h', to: settings.to ?? 'now' },
    timezone: settings.timezone,
    weekStart: settings.weekStart,
    refresh: textOf(settings.autoRefresh),
    annotations: { list: objectsOf(spec.annotations).map(annotationOf) },
    templating: { list: objectsOf(spec.variables).map(variableOf) },
    panels: layoutPanels(objectOf(spec.layout), elements, 0).panels,
  })
}

function layoutPanels(layout: Json, elements: Json, top: number): { panels: Json[]; bottom: number } {
  const spec = objectOf(layout.spec)
  const kind = textOf(layout.kind)
  if (kind === 'RowsLayout' || kind === 'TabsLayout') return sections(objectsOf(spec.rows ?? spec.tabs), elements, top)
  const items = objectsOf(spec.items)
  const perLine = Math.max(1, numberOf(spec.maxColumnCount) ?? 3)
  const panels = items.flatMap((item, i) => {
    const place = objectOf(item.spec)
    if (item.kind === 'GridLayoutRow') {
      return sections(
        [{ spec: { ...place, layout: { kind: 'GridLayout', spec: { items: place.elements } } } }],
        elements,
        top,
      ).panels
    }
    const element = objectOf(elements[textOf(objectOf(place.element).name)])
    const w = Math.floor(COLUMNS / perLine)
    const gridPos =
      kind === 'AutoGridLayout'
        ? { x: (i % perLine) * w, y: top + Math.floor(i / perLine) * AUTO_HEIGHT, w, h: AUTO_HEIGHT }
        : {
            x: numberOf(place.x) ?? 0,
            y: top + (numberOf(place.y) ?? 0),
            w: numberOf(place.width) ?? 12,
            h: numberOf(place.height) ?? 8,
          }
    const repeat = objectOf(place.repeat)
    return [
      {
        ...panelOf(element),
        gridPos,
        ...(repeat.value === undefined
          ? {}
          : { repeat: repeat.value, repeatDirection: repeat.direction, maxPerRow: repeat.maxPerRow }),
      },
    ]
  })
  const bottom = Math.max(
    top,
    ...panels.map(({ gridPos }) => numberOf(objectOf(gridPos).y)! + numberOf(objectOf(gridPos).h)!),
  )
  return { panels, bottom }
}

function sections(rows: readonly Json[], elements: Json, from: number): { panels: Json[]; bottom: number } {
  const out: Json[] = []
  let top = from
  for (const row of rows) {
    const spec = objectOf(row.spec)
    const inner = layoutPanels(objectOf(spec.layout), elements, top + 1)
    const collapsed = spec.collapse === true
    const repeat = objectOf(spec.repeat).value
    out.push(
      compact({
        type: 'row',
        title: textOf(spec.title),
        collapsed,
        repeat,
        gridPos: { x: 0, y: top, w: COLUMNS, h: 1 },
        panels: collapsed ? inner.panels : [],
      }),
    )
    if (!collapsed) out.push(...inner.panels)
    top = inner.bottom
  }
  return { panels: out, bottom: top }
}

function panelOf(element: Json): Json {
  const spec = objectOf(element.spec)
  const viz = objectOf(spec.vizConfig)
  const vizSpec = objectOf(viz.spec)
  const data = objectOf(objectOf(spec.data).spec)
  const options = objectOf(data.queryOptions)
  return compact({
    id: spec.id,
    title: spec.title,
    description: spec.description,
    links: spec.links,
    transparent: spec.transparent,
    type: viz.group ?? (viz.kind === 'VizConfig' ? undefined : viz.kind) ?? 'unknown',
    options: vizSpec.options,
    fieldConfig: vizSpec.fieldConfig,
    interval: options.interval,
    maxDataPoints: options.maxDataPoints,
    timeFrom: options.timeFrom,
    timeShift: options.timeShift,
    targets: objectsOf(data.queries).map((query) => {
      const inner = objectOf(query.spec)
      const asked = objectOf(inner.query)
      return {
        ...objectOf(asked.spec),
        refId: inner.refId,
        hide: inner.hidden === true,
        datasource: sourceOf(inner, asked),
      }
    }),
    transformations: objectsOf(data.transformations).map((one) => {
      const inner = objectOf(one.spec)
      return { id: textOf(one.group ?? inner.id ?? one.kind), options: inner.options, disabled: inner.disabled }
    }),
  })
}

function sourceOf(inner: Json, query: Json): unknown {
  return (
    inner.datasource ?? { type: textOf(query.group ?? query.kind, 'prometheus'), uid: objectOf(query.datasource).name }
  )
}

function variableOf(variable: Json): Json {
  const spec = objectOf(variable.spec)
  const query = objectOf(spec.query)
  return compact({
    ...spec,
    type: VARIABLE_TYPES[textOf(variable.kind)] ?? 'custom',
    hide: HIDE[textOf(spec.hide)] ?? 0,
    sort: Math.max(0, SORTS.indexOf(textOf(spec.sort))),
    refresh: spec.refresh === 'onTimeRangeChanged' ? 2 : 1,
    query:
      variable.kind === 'DatasourceVariable'
        ? spec.pluginId
        : isObject(spec.query)
          ? (query.spec ?? query)
          : spec.query,
  })
}

function annotationOf(annotation: Json): Json {
  const spec = objectOf(annotation.spec)
  const query = objectOf(spec.query)
  return { ...spec, ...objectOf(query.spec), builtIn: spec.builtIn === true ? 1 : 0, datasource: sourceOf(spec, query) }
}
