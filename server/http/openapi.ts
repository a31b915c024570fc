import type { FastifyInstance } from 'fastify'
import { stringify } from 'yaml'
import { BadRequestError, paramsOf } from './params.ts'

type Kind = 'text' | 'texts' | 'time' | 'duration' | 'number' | 'flag'

interface Endpoint {
  readonly path: string
  readonly methods: readonly ('get' | 'post' | 'put' | 'delete')[]
  readonly summary: string
  /** `name!` is required; a colon and the kind may follow, text by default. */
  readonly parameters?: string
  /** Of a success; JSON in the usual envelope by default. */
  readonly answer?: 'empty' | 'text' | 'events' | 'msgpack'
}

const GET = ['get'] as const
const FORM = ['get', 'post'] as const
const CHANGE = ['post', 'put'] as const
const WINDOW = 'start:time end:time limit:number'

const PROMETHEUS: readonly Endpoint[] = [
  {
    path: '/query',
    methods: FORM,
    summary: 'Evaluate at one time',
    parameters: 'query! time:time timeout:duration limit:number lookback_delta:duration stats',
  },
  {
    path: '/query_range',
    methods: FORM,
    summary: 'Evaluate over a range',
    parameters:
      'query! start!:time end!:time step!:duration timeout:duration limit:number lookback_delta:duration stats nocache',
  },
  {
    path: '/query_exemplars',
    methods: FORM,
    summary: 'Exemplars of the series of a query',
    parameters: 'query! start:time end:time',
  },
  { path: '/format_query', methods: FORM, summary: 'Pretty-print a query', parameters: 'query!' },
  { path: '/parse_query', methods: FORM, summary: 'Syntax tree of a query', parameters: 'query!' },
  { path: '/series', methods: FORM, summary: 'Series that match', parameters: `match[]!:texts ${WINDOW}` },
  { path: '/labels', methods: FORM, summary: 'Names of labels', parameters: `match[]:texts ${WINDOW}` },
  { path: '/label/{name}/values', methods: GET, summary: 'Values of a label', parameters: `match[]:texts ${WINDOW}` },
  {
    path: '/metadata',
    methods: GET,
    summary: 'Type, help and unit of metrics',
    parameters: 'metric limit:number limit_per_metric:number',
  },
  { path: '/targets', methods: GET, summary: 'Scrape targets', parameters: 'state scrapePool' },
  {
    path: '/targets/metadata',
    methods: GET,
    summary: 'Metadata by target',
    parameters: 'match_target metric limit:number',
  },
  {
    path: '/targets/relabel_steps',
    methods: GET,
    summary: 'What each relabel rule does',
    parameters: 'scrapePool! labels!',
  },
  { path: '/scrape_pools', methods: GET, summary: 'Names of scrape pools' },
  { path: '/scrape_pools/config', methods: GET, summary: 'Configuration of a scrape pool', parameters: 'scrapePool!' },
  { path: '/alertmanagers', methods: GET, summary: 'Alertmanagers in use' },
  {
    path: '/rules',
    methods: GET,
    summary: 'Rules and their state',
    parameters:
      'type rule_name[]:texts rule_group[]:texts file[]:texts match[]:texts exclude_alerts:flag group_limit:number group_next_token',
  },
  { path: '/alerts', methods: GET, summary: 'Pending and firing alerts' },
  { path: '/status/config', methods: GET, summary: 'Configuration in force' },
  { path: '/status/flags', methods: GET, summary: 'Flags' },
  { path: '/status/buildinfo', methods: GET, summary: 'Version' },
  { path: '/status/runtimeinfo', methods: GET, summary: 'Facts of the running process' },
  { path: '/status/tsdb', methods: GET, summary: 'Statistics of the head', parameters: 'limit:number' },
  { path: '/status/tsdb/blocks', methods: GET, summary: 'Blocks' },
  { path: '/status/walreplay', methods: GET, summary: 'Progress of the log replay' },
  { path: '/status/self_metrics', methods: GET, summary: 'Own metrics', parameters: 'metric_name_pattern' },
  { path: '/features', methods: GET, summary: 'What this server can do' },
  { path: '/notifications', methods: GET, summary: 'What users should know' },
  { path: '/notifications/live', methods: GET, summary: 'The same, as it happens', answer: 'events' },
  { path: '/write', methods: ['post'], summary: 'Remote write, versions 1 and 2', answer: 'empty' },
  {
    path: '/admin/tsdb/delete_series',
    methods: CHANGE,
    summary: 'Delete samples',
    parameters: 'match[]!:texts start:time end:time',
    answer: 'empty',
  },
  {
    path: '/admin/tsdb/clean_tombstones',
    methods: CHANGE,
    summary: 'Take deleted samples off the disk',
    answer: 'empty',
  },
  { path: '/admin/tsdb/snapshot', methods: CHANGE, summary: 'Copy the store', parameters: 'skip_head:flag' },
  { path: '/openapi.yaml', methods: GET, summary: 'This description', parameters: 'openapi_version', answer: 'text' },
]

const OWN: readonly Endpoint[] = [
  { path: '/queries', methods: GET, summary: 'Queries that run or wait' },
  { path: '/queries/{id}', methods: ['delete'], summary: 'End a query', answer: 'empty' },
  {
    path: '/explain',
    methods: FORM,
    summary: 'Plan of a query, expected and measured',
    parameters: 'query! time:time start:time end:time step:duration run:flag timeout:duration lookback_delta:duration',
  },
  {
    path: '/query_range_columns',
    methods: ['post'],
    summary: 'Several range queries as binary columns',
    answer: 'msgpack',
  },
]

const SCHEMAS: Readonly<Record<Kind, object>> = {
  text: { type: 'string' },
  texts: { type: 'array', items: { type: 'string' } },
  time: { type: 'string', description: 'Unix seconds or RFC 3339' },
  duration: { type: 'string', description: 'Seconds or a duration such as 1h30m' },
  number: { type: 'integer' },
  flag: { type: 'boolean' },
}

const VERSIONS: Readonly<Record<string, string>> = { '3.1': '3.1.0', '3.2': '3.2.0' }

/** `/openapi.yaml`, relative to `/api/v1`. */
export function registerOpenApi(app: FastifyInstance, version: string): void {
  app.get('/openapi.yaml', (request, reply) => {
    const wanted = paramsOf(request).get('openapi_version') ?? '3.1'
    const openapi = VERSIONS[wanted]
    if (openapi === undefined) throw new BadRequestError(`invalid parameter "openapi_version": not one of 3.1, 3.2`)
    return reply.header('content-type', 'application/yaml; charset=utf-8').send(stringify(document(openapi, version)))
  })
}

function document(openapi: string, version: string): object {
  const paths = [
    ...PROMETHEUS.map((endpoint) => [`/api/v1${endpoint.path}`, operations(endpoint)]),
    ...OWN.map((endpoint) => [`/api/belltower/v1${endpoint.path}`, operations(endpoint)]),
  ]
  return {
    openapi,
    info: { title: 'Belltower', version, description: 'HTTP API of Prometheus, and what Belltower adds.' },
    paths: Object.fromEntries(paths) as object,
    components: {
      schemas: {
        Error: {
          type: 'object',
          required: ['status', 'errorType', 'error'],
          properties: { status: { const: 'error' }, errorType: SCHEMAS.text, error: SCHEMAS.text },
        },
        Success: {
          type: 'object',
          required: ['status', 'data'],
          properties: { status: { const: 'success' }, data: {}, warnings: SCHEMAS.texts, infos: SCHEMAS.texts },
        },
      },
    },
  }
}

function operations(endpoint: Endpoint): object {
  const inPath = [...endpoint.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: SCHEMAS.text,
  }))
  const parameters = [...inPath, ...(endpoint.parameters ?? '').split(' ').filter(Boolean).map(parameter)]
  const operation = {
    summary: endpoint.summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    responses: responses(endpoint),
  }
  return Object.fromEntries(endpoint.methods.map((method) => [method, operation]))
}

function parameter(text: string): object {
  const [name = '', kind = 'text'] = text.split(':')
  return {
    name: name.replace('!', ''),
    in: 'query',
    ...(name.endsWith('!') ? { required: true } : {}),
    schema: SCHEMAS[kind as Kind],
  }
}

function responses({ answer }: Endpoint): object {
  const content = (type: string, schema: object): object => ({ [type]: { schema } })
  const bodies = {
    json: content('application/json', { $ref: '#/components/schemas/Success' }),
    text: content('application/yaml', SCHEMAS.text),
    events: content('text/event-stream', SCHEMAS.text),
    msgpack: content('application/vnd.msgpack', { type: 'string', format: 'binary' }),
  }
  const success =
    answer === 'empty'
      ? { '204': { description: 'Done' } }
      : { '200': { description: 'Success', content: bodies[answer ?? 'json'] } }
  const failure = {
    description: 'Failure',
    content: content('application/json', { $ref: '#/components/schemas/Error' }),
  }
  return { ...success, default: failure }
}
