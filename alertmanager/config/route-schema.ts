import { z } from 'zod'
import { createMatcher, formatDuration, type Matcher } from '../../model/index.ts'
import { parseMatchers } from '../matcher/parse.ts'
import type { RouteConfig, RouteSettings } from '../route/route.ts'
import { duration, flag, text, textMap, tryParse } from './scalars.ts'

const labelName = text.refine((name) => name !== '', { message: 'a label name cannot be empty' })

/** Entries may each hold several matchers: `{a="b", c="d"}`. */
export const matcherList = z
  .array(text.transform((value, context) => tryParse(() => parseMatchers(value), context)))
  .transform((lists) => lists.flat())

/** The old maps: `label: value` and `label: regex`. */
export const equalMap = z
  .record(labelName, text)
  .transform((map) => Object.entries(map).map(([name, value]) => createMatcher('=', name, value)))
export const regexMap = z
  .record(
    labelName,
    text.transform((value, context) => tryParse(() => createMatcher('=~', '', `^(?:${value})$`), context)),
  )
  .transform((map) => Object.entries(map).map(([name, matcher]): Matcher => ({ ...matcher, name })))

const groupBy = z.array(labelName).superRefine((names, context) => {
  names.forEach((name, i) => {
    if (names.indexOf(name) < i)
      context.addIssue({ code: 'custom', path: [i], message: `duplicated label "${name}" in group_by` })
  })
  if (names.includes('...') && names.length > 1)
    context.addIssue({
      code: 'custom',
      message: 'cannot have wildcard group_by (`...`) and other labels at the same time',
    })
})

const positive = duration.refine((ms) => ms > 0, { message: 'cannot be zero' })

export interface RouteYaml {
  readonly receiver?: string | undefined
  readonly group_by?: string[] | undefined
  readonly matchers?: Matcher[] | undefined
  readonly match?: Matcher[] | undefined
  readonly match_re?: Matcher[] | undefined
  readonly continue?: boolean | undefined
  readonly group_wait?: number | undefined
  readonly group_interval?: number | undefined
  readonly repeat_interval?: number | undefined
  readonly mute_time_intervals?: string[] | undefined
  readonly active_time_intervals?: string[] | undefined
  readonly labels?: Record<string, string> | undefined
  readonly routes?: RouteYaml[] | undefined
}

export const routeSchema: z.ZodType<RouteYaml> = z.strictObject({
  receiver: text.optional(),
  group_by: groupBy.optional(),
  matchers: matcherList.optional(),
  match: equalMap.optional(),
  match_re: regexMap.optional(),
  continue: flag.optional(),
  group_wait: duration.optional(),
  group_interval: positive.optional(),
  repeat_interval: positive.optional(),
  mute_time_intervals: z.array(text).optional(),
  active_time_intervals: z.array(text).optional(),
  labels: textMap.optional(),
  get routes() {
    return z.array(routeSchema).optional()
  },
})

/** What a root has that says nothing. */
export const ROUTE_DEFAULTS: RouteSettings = {
  receiver: '',
  groupBy: [],
  groupByAll: false,
  groupWaitMs: 30_000,
  groupIntervalMs: 5 * 60_000,
  repeatIntervalMs: 4 * 3_600_000,
  muteTimeIntervals: [],
  activeTimeIntervals: [],
  labels: {},
}

/** Brings the parent's settings down the tree. */
export function resolveRoute(yaml: RouteYaml, parent: RouteSettings): RouteConfig {
  const groupByAll = yaml.group_by ? yaml.group_by.includes('...') : parent.groupByAll
  const settings: RouteSettings = {
    receiver: yaml.receiver || parent.receiver,
    groupBy: groupByAll ? [] : (yaml.group_by ?? parent.groupBy),
    groupByAll,
    groupWaitMs: yaml.group_wait ?? parent.groupWaitMs,
    groupIntervalMs: yaml.group_interval ?? parent.groupIntervalMs,
    repeatIntervalMs: yaml.repeat_interval ?? parent.repeatIntervalMs,
    muteTimeIntervals: yaml.mute_time_intervals ?? [],
    activeTimeIntervals: yaml.active_time_intervals ?? [],
    labels: { ...parent.labels, ...yaml.labels },
  }
  return {
    ...settings,
    matchers: matchersOf(yaml),
    continue: yaml.continue ?? false,
    routes: (yaml.routes ?? []).map((child) => resolveRoute(child, settings)),
  }
}

const matchersOf = (yaml: RouteYaml): Matcher[] => [
  ...(yaml.match ?? []),
  ...(yaml.match_re ?? []),
  ...(yaml.matchers ?? []),
]

type Path = readonly (string | number)[]

/** References and rules of the tree that its shape cannot express: [path, why]. */
export function routeFaults(
  root: RouteYaml,
  known: { receivers: ReadonlySet<string>; timeIntervals: ReadonlySet<string> },
): [Path, string][] {
  const faults: [Path, string][] = []
  if (!root.receiver) faults.push([['route'], 'root route must specify a default receiver'])
  if (matchersOf(root).length > 0) faults.push([['route'], 'root route must not have any matchers'])
  if (root.continue) faults.push([['route', 'continue'], 'cannot have continue in root route'])
  for (const key of ['mute_time_intervals', 'active_time_intervals'] as const) {
    if (root[key]?.length) faults.push([['route', key], `root route must not have any ${key}`])
  }
  const visit = (route: RouteYaml, path: Path): void => {
    if (route.receiver && !known.receivers.has(route.receiver))
      faults.push([[...path, 'receiver'], `undefined receiver "${route.receiver}" used in route`])
    for (const key of ['mute_time_intervals', 'active_time_intervals'] as const) {
      route[key]?.forEach((name, i) => {
        if (!known.timeIntervals.has(name))
          faults.push([[...path, key, i], `undefined time interval "${name}" used in route`])
      })
    }
    route.routes?.forEach((child, i) => visit(child, [...path, 'routes', i]))
  }
  visit(root, ['route'])
  return faults
}

/** The timers as a printed configuration shows them. */
export const printedTimers = (settings: RouteSettings): Record<string, string> => ({
  group_wait: formatDuration(settings.groupWaitMs),
  group_interval: formatDuration(settings.groupIntervalMs),
  repeat_interval: formatDuration(settings.repeatIntervalMs),
})
