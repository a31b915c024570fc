import type { Labels, Matcher } from '../../model/index.ts'
import { projectLabels } from '../../model/index.ts'
import type { StoredAlert } from '../alert/stored-alert.ts'
import { matchersText, matchesAll, sortMatchers } from '../matcher/parse.ts'

/** What a node of the routing tree says, after its parent's settings came down to it. */
export interface RouteSettings {
  readonly receiver: string
  readonly groupBy: readonly string[]
  /** `group_by: ['...']`: every alert is its own group. */
  readonly groupByAll: boolean
  readonly groupWaitMs: number
  readonly groupIntervalMs: number
  readonly repeatIntervalMs: number
  /** Not inherited. */
  readonly muteTimeIntervals: readonly string[]
  /** Not inherited. */
  readonly activeTimeIntervals: readonly string[]
  /** Values are templates. */
  readonly labels: Readonly<Record<string, string>>
}

export interface RouteConfig extends RouteSettings {
  readonly matchers: readonly Matcher[]
  readonly continue: boolean
  readonly routes: readonly RouteConfig[]
}

export interface Route extends RouteSettings {
  /** Path of matchers from the root: `{}/{severity="page"}`. */
  readonly key: string
  readonly matchers: readonly Matcher[]
  readonly continue: boolean
  readonly routes: readonly Route[]
  readonly groupByNames: ReadonlySet<string>
}

export function buildRoute(config: RouteConfig, parentKey?: string): Route {
  const matchers = sortMatchers(config.matchers)
  const own = matchersText(matchers)
  const key = parentKey === undefined ? own : `${parentKey}/${own}`
  const routes = config.routes.map((child) => buildRoute(child, key))
  return { ...config, matchers, key, routes, groupByNames: new Set(config.groupBy) }
}

/** The destinations of an alert: depth first, left to right; a node itself only when none of its children took it. */
export function findRoutes(route: Route, labels: Labels): Route[] {
  if (!matchesAll(route.matchers, labels)) return []
  const found: Route[] = []
  for (const child of route.routes) {
    const taken = findRoutes(child, labels)
    found.push(...taken)
    if (taken.length > 0 && !child.continue) break
  }
  return found.length > 0 ? found : [route]
}

/** `findRoutes` that remembers its answer with the alert. One for each routing tree. */
export function routeFinder(root: Route): (alert: StoredAlert) => readonly Route[] {
  // Most alerts have one destination, and share the list of it.
  const lists = new Map<Route, readonly Route[]>()
  const shared = (routes: readonly Route[]): readonly Route[] => {
    if (routes.length !== 1) return routes
    let list = lists.get(routes[0]!)
    if (!list) lists.set(routes[0]!, (list = routes))
    return list
  }
  return ({ labels, memo }) => {
    if (memo.tree !== root) {
      memo.tree = root
      memo.routes = shared(findRoutes(root, labels))
      memo.groups = undefined
    }
    return memo.routes
  }
}

/** Most alerts have one destination. */
export const receiversOf = (routes: readonly Route[]): string[] =>
  routes.length === 1 ? [routes[0]!.receiver] : [...new Set(routes.map(({ receiver }) => receiver))]

export const groupLabelsOf = (route: Route, labels: Labels): Labels =>
  route.groupByAll ? labels : projectLabels(labels, route.groupByNames, true)

/** `{}/{severity="page"}:{alertname="Down"}`; receivers derive their incident keys from it, so it never changes form. */
export function groupKeyOf(route: Route, groupLabels: Labels): string {
  const parts: string[] = []
  for (let i = 0; i < groupLabels.length; i += 2) parts.push(`${groupLabels[i]}=${goQuote(groupLabels[i + 1]!)}`)
  return `${route.key}:{${parts.join(', ')}}`
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

/** As Go's %q: what cannot be printed is escaped. */
function goQuote(text: string): string {
  const escaped = text.replace(/[\\"\p{C}\u2028\u2029]|[^\S ]/gu, (c) => SHORT_ESCAPES[c] ?? numericEscape(c))
  return `"${escaped}"`
}

function numericEscape(c: string): string {
  const code = c.codePointAt(0)!
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`
}
