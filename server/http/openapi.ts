import type { FastifyInstance } from 'fastify'
import { stringify } from 'yaml'
import { ALERTING } from './openapi-alerting.ts'
import { BadRequestError, paramsOf } from './params.ts'

type Kind = 'text' | 'texts' | 'time' | 'duration' | 'number' | 'flag'

export interface Endpoint {
  readonly path: string
  readonly methods: readonly ('get' | 'post' | 'put' | 'delete')[]
  readonly summary: string
  /** `name!` is required; a colon and the kind may follow, text by default. */
  readonly parameters?: string
  /** Members of a JSON object that is sent, written likewise. */
  readonly body?: string
  /** Of a success; JSON in the usual envelope by default, `bare` = without it. */
  readonly answer?: 'bare' | 'html' | 'plain' | 'empty' | 'text' | 'events' | 'msgpack' | 'protobuf'
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
  { path: '/otlp/v1/metrics', methods: ['post'], summary: 'Metrics of the OpenTelemetry protocol', answer: 'protobuf' },
  { path: '/read', methods: ['post'], summary: 'Remote read: samples or streamed chunks', answer: 'protobuf' },
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

const VERSIONS: ReadonlyMap<string, string> = new Map([
  ['3.1', '3.1.0'],
  ['3.2', '3.2.0'],
])

/** `/openapi.yaml`, relative to `/api/v1`. */
export function registerOpenApi(app: FastifyInstance, version: string): void {
  app.get('/openapi.yaml', (request, reply) => {
    const wanted = paramsOf(request).get('openapi_version') ?? '3.1'
    const openapi = VERSIONS.get(wanted)
    if (openapi === undefined) throw new BadRequestError(`invalid parameter "openapi_version": not one of 3.1, 3.2`)
    return reply.header('content-type', 'application/yaml; charset=utf-8').send(textOf(document(openapi, version)))
  })
}

/** Without references inside the file: readers refuse many of them. */
const textOf = (value: object): string => stringify(value, { aliasDuplicateObjects: false })

function document(openapi: string, version: string): object {
  const paths: Record<string, object> = {}
  const add = (prefix: string, endpoints: readonly Endpoint[]): void => {
    for (const endpoint of endpoints) {
      const path = prefix + endpoint.path
      paths[path] = { ...paths[path], ...operations(endpoint) }
    }
  }
  add('/api/v1', PROMETHEUS)
  add('/api/belltower/v1', OWN)
  add('/api/belltower/v1', ALERTING)
  return {
    openapi,
    info: { title: 'Belltower', version, description: 'HTTP API of Prometheus, and what Belltower adds.' },
    paths,
    components: {
      schemas: {
        Error: {
          type: 'object',
          required: ['status', 'errorType', 'error'],
          properties: { status: { const: 'error' }, errorType: SCHEMAS.text, error: SCHEMAS.text },
        },
        BareError: { type: 'object', required: ['error'], properties: { error: SCHEMAS.text } },
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
    ...(endpoint.body === undefined ? {} : { requestBody: requestBody(endpoint.body) }),
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

function requestBody(text: string): object {
  const members = text.split(' ').map((member) => member.split(':') as [string, Kind?])
  const schema = {
    type: 'object',
    required: members.flatMap(([name]) => (name.endsWith('!') ? [name.slice(0, -1)] : [])),
    properties: Object.fromEntries(members.map(([name, kind = 'text']) => [name.replace('!', ''), SCHEMAS[kind]])),
  }
  return { required: true, content: { 'application/json': { schema } } }
}

function responses({ answer }: Endpoint): object {
  const content = (type: string, schema: object): object => ({ [type]: { schema } })
  const bodies = {
    json: content('application/json', { $ref: '#/components/schemas/Success' }),
    bare: content('application/json', {}),
    html: content('text/html', SCHEMAS.text),
    plain: content('text/plain', SCHEMAS.text),
    text: content('application/yaml', SCHEMAS.text),
    events: content('text/event-stream', SCHEMAS.text),
    msgpack: content('application/vnd.msgpack', { type: 'string', format: 'binary' }),
    protobuf: content('application/x-protobuf', { type: 'string', format: 'binary' }),
  }
  const success =
    answer === 'empty'
      ? { '204': { description: 'Done' } }
      : { '200': { description: 'Success', content: bodies[answer ?? 'json'] } }
  const hasEnvelope = answer !== 'bare' && answer !== 'html' && answer !== 'plain'
  const failure = {
    description: 'Failure',
    content: content('application/json', { $ref: `#/components/schemas/${hasEnvelope ? 'Error' : 'BareError'}` }),
  }
  return { ...success, default: failure }
}
