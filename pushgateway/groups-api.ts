import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { AppError } from '../lib/index.ts'
import { type Matcher, matches } from '../model/index.ts'
import { PushOptionError } from './errors.ts'
import { expiresAtMs, type Group } from './group.ts'
import type { Pushgateway } from './pushgateway.ts'
import { rhythmOf } from './push-history.ts'

/**
 * What the original cannot tell or do: `GET /push/groups` (ages, expiry, the last pushes with sender and size, groups that
 * are overdue) and `DELETE /push/groups?match[]=…`. Mount it under `/api/belltower/v1`.
 */
export function pushGroupsApi(
  gateway: Pushgateway,
  options: {
    readonly nowMs: () => number
    /** Reads a series selector; throws where it is none. */
    readonly parseSelector: (text: string) => readonly Matcher[]
  },
): FastifyPluginAsync {
  const matcherSets = (url: string): (readonly Matcher[])[] =>
    parametersOf(url).getAll('match[]').map(options.parseSelector)
  return async (app: FastifyInstance) => {
    app.setErrorHandler((error, _request, reply) => {
      if (!(error instanceof AppError)) throw error
      return reply.code(error.httpStatus).send({ status: 'error', errorType: 'bad_data', error: error.message })
    })
    app.get('/push/groups', async (request) => {
      const sets = matcherSets(request.url)
      const groups = gateway.groups().filter((group) => sets.length === 0 || sets.some((set) => matchesAll(set, group)))
      return { status: 'success', data: groups.map((group) => groupDocument(group, options.nowMs())) }
    })
    app.delete('/push/groups', async (request) => {
      gateway.access.require(request.headers.authorization, undefined)
      const sets = matcherSets(request.url)
      if (sets.length === 0) throw new PushOptionError('match[] is needed: groups are deleted by their labels')
      const dryRun = /^(1|true)$/.test(parametersOf(request.url).get('dry_run') ?? '')
      const deleted = await gateway.deleteMatching(sets, { dryRun })
      return { status: 'success', data: { dryRun, count: deleted.length, groups: deleted.map(({ labels }) => labels) } }
    })
  }
}

const parametersOf = (url: string): URLSearchParams => new URLSearchParams(/\?(.*)$/s.exec(url)?.[1] ?? '')

const matchesAll = (set: readonly Matcher[], { labels }: Group): boolean =>
  set.every((matcher) => matches(matcher, labels[matcher.name] ?? ''))

function groupDocument(group: Group, nowMs: number): Record<string, unknown> {
  const rhythm = rhythmOf(group.events)
  const expiryMs = expiresAtMs(group)
  return {
    labels: group.labels,
    firstPushTime: timeText(group.firstPushMs),
    lastPushTime: group.pushTimeMs === 0 ? null : timeText(group.pushTimeMs),
    lastFailureTime: group.pushFailureTimeMs === 0 ? null : timeText(group.pushFailureTimeMs),
    lastPushSuccessful: group.pushTimeMs >= group.pushFailureTimeMs,
    pushCount: group.pushCount,
    metricCount: group.metricCount,
    pageCharacters: group.characters,
    families: [...group.families.values()].map(({ name, type, metricCount }) => ({ name, type, metricCount })),
    ttlSeconds: group.ttlMs === 0 ? null : group.ttlMs / 1000,
    expiresAt: expiryMs === undefined ? null : timeText(expiryMs),
    usualIntervalSeconds: rhythm === undefined ? null : rhythm.usualIntervalMs / 1000,
    overdue: group.dueAtMs < nowMs,
    events: group.events.map(({ timeMs, method, sender, bytes, refusal }) => ({
      time: timeText(timeMs),
      method,
      sender,
      bytes,
      refusal: refusal === '' ? null : refusal,
    })),
  }
}

const timeText = (timeMs: number): string => new Date(timeMs).toISOString()
