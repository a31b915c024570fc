// Which panels are drawn, and what is said in place of those that are not.
import { isObject, type Json, objectOf, objectsOf, textOf } from './json.ts'
import type { Variable } from './variable.ts'

export const NATIVE_PANELS: ReadonlySet<string> = new Set([
  'timeseries',
  'stat',
  'gauge',
  'bargauge',
  'table',
  'heatmap',
  'state-timeline',
  'status-history',
  'piechart',
  'barchart',
  'histogram',
  'text',
  'row',
  'alertlist',
  'dashlist',
])
/** Panels that show no query's result. */
const WITHOUT_QUERIES: ReadonlySet<string> = new Set(['text', 'row', 'alertlist', 'dashlist'])

/** Data sources that speak PromQL, and names that stand for whichever one there is. */
const PROMQL_SOURCES: ReadonlySet<string> = new Set([
  '',
  'prometheus',
  'mixed',
  'datasource',
  'grafana',
  'default',
  'victoriametrics-datasource',
  'victoriametrics-metrics-datasource',
  'grafana-amazonprometheus-datasource',
  'grafana-azureprometheus-datasource',
  '-- mixed --',
  '-- dashboard --',
])

/** Why a panel cannot be drawn here, in a sentence; `undefined` where it can. */
export function placeholderReason(panel: Json, variables: readonly Variable[]): string | undefined {
  const type = textOf(panel.type)
  if (isObject(panel.libraryPanel) && panel.type === undefined) {
    return `This panel is kept in the library of another server as “${textOf(objectOf(panel.libraryPanel).name)}”.`
  }
  if (type === '') return 'The panel does not say what kind it is.'
  if (!NATIVE_PANELS.has(type)) return `Panels of the kind “${type}” cannot be drawn here.`
  if (WITHOUT_QUERIES.has(type)) return undefined
  const targets = objectsOf(panel.targets).filter((target) => target.hide !== true)
  if (targets.length === 0) return undefined
  const foreign = targets.map((target) => foreignSource(target.datasource ?? panel.datasource, target, variables))
  const known = foreign.filter((one) => one === undefined).length
  return known > 0
    ? undefined
    : `Its queries are for ${[...new Set(foreign)].join(' and ')}, which is not part of this server.`
}

function foreignSource(datasource: unknown, target: Json, variables: readonly Variable[]): string | undefined {
  const type = sourceType(datasource, variables)
  if (type !== undefined && !PROMQL_SOURCES.has(type.toLowerCase())) return type
  if (typeof target.expr === 'string' || target.panelId !== undefined) return undefined
  // No PromQL and no source that says what it is: an expression, or something else that was saved without its type.
  return type === '__expr__' || textOf(target.type) === 'math'
    ? 'server-side expressions'
    : 'another kind of data source'
}

/** Kind of a data source as far as the board says; names of the user's own tell nothing. */
function sourceType(datasource: unknown, variables: readonly Variable[]): string | undefined {
  if (isObject(datasource)) {
    const type = textOf(datasource.type)
    return type !== '' ? type : sourceType(textOf(datasource.uid), variables)
  }
  const name = textOf(datasource)
  const variable = /^\$\{?(\w+)\}?$/.exec(name)?.[1]
  if (variable === undefined) return undefined
  const found = variables.find((one) => one.name === variable)
  return found?.type === 'datasource' ? found.query : undefined
}
