import type { FastifyInstance } from 'fastify'
import {
  type ExemplarQueryable,
  formatSampleValue,
  labelsToRecord,
  type Matcher,
  type SeriesExemplars,
} from '../../model/index.ts'
import { type Expr, walkExpr } from '../../promql/index.ts'
import type { PromqlFeatures } from '../query/promql-features.ts'
import { parseQueryParam } from './api-query.ts'
import { sendSuccess } from './envelope.ts'
import { ALL_TIME, BadRequestError, optionalTimeParam, paramsOf } from './params.ts'

/** `/query_exemplars`, relative to `/api/v1`: exemplars of every series that a selector of the expression matches. */
export function registerExemplarsApi(app: FastifyInstance, store: ExemplarQueryable, promql: PromqlFeatures): void {
  app.route({
    method: ['GET', 'POST'],
    url: '/query_exemplars',
    handler: (request, reply) => {
      const params = paramsOf(request)
      const minTimeMs = optionalTimeParam(params, 'start', ALL_TIME.minTimeMs)
      const maxTimeMs = optionalTimeParam(params, 'end', ALL_TIME.maxTimeMs)
      if (maxTimeMs < minTimeMs) throw new BadRequestError('end timestamp must not be before start timestamp')
      const selectors = selectorsOf(parseQueryParam(params, promql))
      // There is nothing to have exemplars of.
      if (selectors.length === 0) return reply.code(204).send()
      return sendSuccess(reply, store.exemplars(selectors, { minTimeMs, maxTimeMs }).map(seriesJson))
    },
  })
}

function selectorsOf(expr: Expr): readonly (readonly Matcher[])[] {
  const found: (readonly Matcher[])[] = []
  walkExpr(expr, (part) => {
    if (part.kind === 'vectorSelector') found.push(part.matchers)
  })
  return found
}

const seriesJson = ({ seriesLabels, exemplars }: SeriesExemplars) => ({
  seriesLabels: labelsToRecord(seriesLabels),
  exemplars: exemplars.map(({ labels, value, timestampMs }) => ({
    labels: labelsToRecord(labels),
    value: formatSampleValue(value),
    timestamp: timestampMs / 1000,
  })),
})
