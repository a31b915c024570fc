import type { FastifyInstance } from 'fastify'
import { functionSignatures } from '../../promql/index.ts'
import { sendSuccess } from './envelope.ts'

export interface FeatureFacts {
  /** Names given with `--enable-feature`. */
  readonly enabled: ReadonlySet<string>
  readonly adminApi: boolean
  readonly lifecycle: boolean
  readonly remoteWriteReceiver: boolean
  readonly otlpReceiver: boolean
}

type Features = Readonly<Record<string, Readonly<Record<string, boolean>>>>

const AGGREGATIONS =
  'sum avg min max count group stddev stdvar topk bottomk count_values quantile limitk limit_ratio'.split(' ')

/** `/features`, relative to `/api/v1`: what this server can do, by area. */
export function registerFeaturesApi(app: FastifyInstance, facts: FeatureFacts): void {
  const features = featuresOf(facts)
  app.get('/features', (_request, reply) => sendSuccess(reply, features))
}

function featuresOf({ enabled, adminApi, lifecycle, remoteWriteReceiver, otlpReceiver }: FeatureFacts): Features {
  const isExperimental = enabled.has('promql-experimental-functions')
  const functions = [...functionSignatures.values()].map(({ name, experimental }) => [
    name,
    !experimental || isExperimental,
  ])
  const operators = AGGREGATIONS.map((name) => [name, !name.startsWith('limit') || isExperimental])
  return {
    api: {
      admin: adminApi,
      exclude_alerts: true,
      explain: true,
      label_values_match: true,
      lifecycle,
      openapi_3_1: true,
      query_columns: true,
      query_stats: true,
      query_warnings: true,
      otlp_write_receiver: otlpReceiver,
      remote_write_receiver: remoteWriteReceiver,
      rules_pagination: true,
      search: false,
      time_range_labels: true,
      time_range_series: true,
    },
    prometheus: {
      agent_mode: false,
      auto_reload_config: false,
      enable_config_file_reload: true,
    },
    promql: {
      anchored: enabled.has('promql-extended-range-selectors'),
      at_modifier: true,
      bool: true,
      by: true,
      delayed_name_removal: enabled.has('promql-delayed-name-removal'),
      duration_expr: true,
      fill: enabled.has('promql-binop-fill-modifiers'),
      group_left: true,
      group_right: true,
      ignoring: true,
      negative_offset: true,
      offset: true,
      on: true,
      per_query_lookback_delta: true,
      smoothed: enabled.has('promql-extended-range-selectors'),
      subqueries: true,
      without: true,
    },
    promql_functions: Object.fromEntries(functions) as Record<string, boolean>,
    promql_operators: Object.fromEntries(operators) as Record<string, boolean>,
  }
}
