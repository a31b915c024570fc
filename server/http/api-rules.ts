import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { bodyOfPieces, jsonArray } from '../../lib/index.ts'
import { formatFloatExponent, labelsToRecord, type Matcher, matches } from '../../model/index.ts'
import type { AlertInfo, RuleGroupState, RuleManager, RuleState } from '../../rules/index.ts'
import { parseSelectorParam, withoutParamName } from '../query/selector-param.ts'
import { sendSuccess } from './envelope.ts'
import { BadRequestError, paramsOf } from './params.ts'

/** `/rules` and `/alerts`, relative to `/api/v1`. */
export function registerRulesApi(app: FastifyInstance, rules: Pick<RuleManager, 'groups' | 'alerts'>): void {
  app.get('/alerts', (_request, reply) =>
    reply.header('content-type', 'application/json').send(bodyOfPieces(alertPieces(rules.alerts()))),
  )
  app.get('/rules', (request, reply) => {
    const filter = filterOf(paramsOf(request))
    const groups = rules
      .groups()
      .filter((group) => filter.wantsGroup(group))
      .map((group) => ({ group, rules: group.rules.filter((rule) => filter.wantsRule(rule)) }))
      // A filter on rules hides the groups that it empties.
      .filter(({ rules: wanted }) => !filter.isSelective || wanted.length > 0)
    const page = pageOf(groups, paramsOf(request))
    return sendSuccess(reply, {
      groups: page.items.map(({ group, rules: wanted }) => groupJson(group, wanted, filter.withAlerts)),
      ...(page.nextToken === undefined ? {} : { groupNextToken: page.nextToken }),
    })
  })
}

interface RuleFilter {
  /** Whether single rules are filtered. */
  readonly isSelective: boolean
  readonly withAlerts: boolean
  wantsGroup(group: RuleGroupState): boolean
  wantsRule(rule: RuleState): boolean
}

function filterOf(params: URLSearchParams): RuleFilter {
  const type = params.get('type')?.toLowerCase() ?? ''
  if (type !== '' && type !== 'alert' && type !== 'record') {
    throw new BadRequestError(`invalid parameter "type": not supported value ${JSON.stringify(type)}`)
  }
  const names = new Set(params.getAll('rule_name[]'))
  const groupNames = new Set(params.getAll('rule_group[]'))
  const files = new Set(params.getAll('file[]'))
  const matcherSets = params.getAll('match[]').map(matchParam)
  const excludeAlerts = params.get('exclude_alerts') ?? ''
  if (excludeAlerts !== '' && !/^(true|false|1|0|t|f)$/i.test(excludeAlerts)) {
    const why = `strconv.ParseBool: parsing ${JSON.stringify(excludeAlerts.toLowerCase())}: invalid syntax`
    throw new BadRequestError(`invalid parameter "exclude_alerts": error converting exclude_alerts: ${why}`)
  }
  return {
    isSelective: type !== '' || names.size > 0 || matcherSets.length > 0,
    withAlerts: !/^(true|1|t)$/i.test(excludeAlerts),
    wantsGroup: (group) =>
      (groupNames.size === 0 || groupNames.has(group.name)) && (files.size === 0 || files.has(group.file)),
    wantsRule: (rule) =>
      (type === '' || (type === 'alert') === (rule.kind === 'alerting')) &&
      (names.size === 0 || names.has(rule.config.name)) &&
      (matcherSets.length === 0 || matcherSets.some((set) => matchesLabels(set, rule.config.labels))),
  }
}

/** As for other endpoints; this one names no parameter in its error. */
function matchParam(text: string): readonly Matcher[] {
  try {
    return parseSelectorParam(text)
  } catch (cause) {
    throw new BadRequestError(withoutParamName((cause as Error).message), { cause })
  }
}

const matchesLabels = (set: readonly Matcher[], labels: Readonly<Record<string, string>>): boolean =>
  set.every((matcher) => matches(matcher, labels[matcher.name] ?? ''))

function pageOf<T extends { readonly group: RuleGroupState }>(groups: readonly T[], params: URLSearchParams) {
  const limitText = params.get('group_limit') ?? ''
  const token = params.get('group_next_token') ?? ''
  if (limitText === '') {
    if (token !== '') {
      const why = 'group_limit needs to be present in order to paginate over the groups'
      throw new BadRequestError(`invalid parameter "group_next_token": ${why}`)
    }
    return { items: groups, nextToken: undefined }
  }
  const limit = groupLimit(limitText)
  const start = token === '' ? 0 : groups.findIndex(({ group }) => tokenOf(group) === token)
  if (start < 0) {
    const why = `invalid group_next_token '${token}'. were rule groups changed?`
    throw new BadRequestError(`invalid parameter "group_next_token": ${why}`)
  }
  const next = groups[start + limit]
  return { items: groups.slice(start, start + limit), nextToken: next && tokenOf(next.group) }
}

function groupLimit(text: string): number {
  const refused = (why: string): BadRequestError => new BadRequestError(`invalid parameter "group_limit": ${why}`)
  const limit = Number(text)
  const fault = !/^[+-]?\d+$/.test(text) ? 'invalid syntax' : Math.abs(limit) >= 2 ** 31 ? 'value out of range' : ''
  if (fault !== '') {
    throw refused(`group_limit needs to be a valid number: strconv.ParseInt: parsing ${JSON.stringify(text)}: ${fault}`)
  }
  if (limit <= 0) throw refused('group_limit needs to be greater than 0')
  return limit
}

const tokenOf = ({ file, name }: RuleGroupState): string => createHash('sha256').update(`${file};${name}`).digest('hex')

function groupJson(group: RuleGroupState, rules: readonly RuleState[], withAlerts: boolean) {
  return {
    name: group.name,
    file: group.file,
    rules: rules.map((rule) => ruleJson(rule, withAlerts)),
    interval: group.intervalMs / 1000,
    limit: group.limit,
    evaluationTime: group.evaluationSeconds,
    lastEvaluation: timeText(group.lastEvaluationMs),
  }
}

function ruleJson(rule: RuleState, withAlerts: boolean) {
  const common = {
    name: rule.config.name,
    query: rule.config.expr,
    labels: rule.config.labels,
    health: rule.health,
    ...(rule.lastError === '' ? {} : { lastError: rule.lastError }),
    evaluationTime: rule.evaluationSeconds,
    lastEvaluation: timeText(rule.lastEvaluationMs),
  }
  if (rule.kind === 'recording') return { ...common, type: 'recording' }
  return {
    state: rule.state,
    ...common,
    duration: rule.config.forMs / 1000,
    keepFiringFor: rule.config.keepFiringForMs / 1000,
    annotations: rule.config.annotations,
    alerts: withAlerts ? rule.alerts.map(alertJson) : [],
    type: 'alerting',
  }
}

/** There may be a hundred thousand of them. */
function* alertPieces(alerts: readonly AlertInfo[]): Generator<string> {
  yield '{"status":"success","data":{"alerts":'
  yield* jsonArray(alertTexts(alerts))
  yield '}}'
}

function* alertTexts(alerts: readonly AlertInfo[]): Generator<string> {
  for (const alert of alerts) yield JSON.stringify(alertJson(alert))
}

function alertJson(alert: AlertInfo) {
  return {
    labels: labelsToRecord(alert.labels),
    annotations: labelsToRecord(alert.annotations),
    state: alert.state,
    activeAt: timeText(alert.activeAtMs),
    ...(alert.keepFiringSinceMs === undefined ? {} : { keepFiringSince: timeText(alert.keepFiringSinceMs) }),
    value: formatFloatExponent(alert.value),
  }
}

/** Go's zero time stands for "never". */
const timeText = (timeMs: number | undefined): string =>
  timeMs === undefined ? '0001-01-01T00:00:00Z' : new Date(timeMs).toISOString()
