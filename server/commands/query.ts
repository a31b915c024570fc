import { type Command, InvalidArgumentError, Option } from 'commander'
import {
  formatFloatPlain,
  isLegacyLabelName,
  isLegacyMetricName,
  parseDuration,
  parseGoFloat,
  quoteGo,
} from '../../model/index.ts'
import { CommandError } from './alert-client.ts'
import { type ExplainedNode, explainLines } from './explain-text.ts'
import { QueryClient } from './query-client.ts'

interface CommonOptions {
  readonly 'server.url': string
  readonly header: readonly string[]
  readonly format: 'promql' | 'json'
}

type Metric = Readonly<Record<string, string>>
type Point = readonly [seconds: number, value: string]
interface Histogram {
  readonly count: string
  readonly sum: string
  readonly buckets?: readonly (readonly [kind: number, lower: string, upper: string, count: string])[]
}
type HistogramPoint = readonly [seconds: number, histogram: Histogram]

type QueryData =
  | { readonly resultType: 'vector'; readonly result: { metric: Metric; value?: Point; histogram?: HistogramPoint }[] }
  | {
      readonly resultType: 'matrix'
      readonly result: { metric: Metric; values?: Point[]; histograms?: HistogramPoint[] }[]
    }
  | { readonly resultType: 'scalar' | 'string'; readonly result: Point }

const RANGE_SECONDS = 300
const STEPS = 250

/** `belltower query instant|range|series|labels|explain`: asks a running server and prints as promtool does. */
export function registerQueryCommand(program: Command): void {
  const query = program.command('query').description('ask a running server')
  const sub = (name: string, help: string, argument: string): Command =>
    query
      .command(name)
      .description(help)
      .argument(`<${argument}...>`)
      .option('--server.url <url>', 'address of the server', 'http://127.0.0.1:9090')
      .option('--header <key=value>', 'sent with the request, repeatable', collect, [])
      .addOption(new Option('-o, --format <format>', 'of the output').choices(['promql', 'json']).default('promql'))

  sub('instant', 'evaluate an expression at one time', 'expr')
    .option('--time <time>', 'RFC 3339 or Unix seconds; default now')
    .action(async (args: string[], options: CommonOptions & { time?: string }) => {
      const { client, text } = clientOf(args, options)
      const time = options.time === undefined ? {} : { time: options.time }
      await print(client.get<QueryData>('query', { query: text, ...time }), options, queryLines)
    })

  sub('range', 'evaluate an expression over a range of time', 'expr')
    .option('--start <time>', 'default five minutes before the end')
    .option('--end <time>', 'default now')
    .option('--step <duration>', 'default a 250th of the range', durationSeconds)
    .action(async (args: string[], options: CommonOptions & { start?: string; end?: string; step?: number }) => {
      const { client, text } = clientOf(args, options)
      const parameters = { query: text, ...rangeTimes(options) }
      await print(client.get<QueryData>('query_range', parameters), options, queryLines)
    })

  sub('explain', 'show the plan of a query, and what each part of it reads', 'expr')
    .option('--time <time>', 'RFC 3339 or Unix seconds; default now')
    .option('--start <time>', 'explain a range query')
    .option('--end <time>', 'default now')
    .option('--step <duration>', 'default a 250th of the range', durationSeconds)
    .option('--run', 'run it and show what each part did')
    .action(async (args: string[], options: CommonOptions & ExplainOptions) => {
      const { client, text } = clientOf(args, options)
      const parameters = { query: text, run: String(options.run === true), ...explainTimes(options) }
      const pending = client.get<{ plan: ExplainedNode }>('explain', parameters, '/api/belltower/v1')
      await print(pending, options, ({ plan }) => explainLines(plan))
    })

  query
    .command('series')
    .description('series that match')
    .argument('[server]', 'address of the server, as promtool takes it')
    .requiredOption('--match <selector>', 'repeatable', collect, [])
    .option('--server.url <url>', 'address of the server', 'http://127.0.0.1:9090')
    .option('--header <key=value>', 'sent with the request, repeatable', collect, [])
    .addOption(new Option('-o, --format <format>', 'of the output').choices(['promql', 'json']).default('promql'))
    .option('--start <time>')
    .option('--end <time>')
    .action(async (server: string | undefined, options: CommonOptions & MatchOptions) => {
      const client = new QueryClient(server ?? options['server.url'], options.header)
      await print(client.get<Metric[]>('series', matchParameters(options)), options, (series) =>
        series.map(labelSetText),
      )
    })

  sub('labels', 'values of a label', 'name')
    .option('--match <selector>', 'repeatable', collect, [])
    .option('--start <time>')
    .option('--end <time>')
    .action(async (args: string[], options: CommonOptions & MatchOptions) => {
      const { client, text } = clientOf(args, options)
      const path = `label/${encodeURIComponent(text)}/values`
      await print(client.get<string[]>(path, matchParameters(options)), options, (values) => values)
    })
}

interface ExplainOptions {
  readonly time?: string
  readonly start?: string
  readonly end?: string
  readonly step?: number
  readonly run?: boolean
}

function explainTimes({ time, start, end, step }: ExplainOptions): Record<string, string> {
  if (start === undefined) return time === undefined ? {} : { time }
  return rangeTimes({ start, ...(end === undefined ? {} : { end }), ...(step === undefined ? {} : { step }) })
}

function rangeTimes(options: {
  start?: string
  end?: string
  step?: number
}): Record<'start' | 'end' | 'step', string> {
  const end = seconds(options.end) ?? Date.now() / 1000
  const start = seconds(options.start) ?? end - RANGE_SECONDS
  const step = options.step ?? Math.max(Math.floor((end - start) / STEPS), 1)
  return { start: String(start), end: String(end), step: String(step) }
}

interface MatchOptions {
  readonly match: readonly string[]
  readonly start?: string
  readonly end?: string
}

function matchParameters({ match, start, end }: MatchOptions): Record<string, string | readonly string[]> {
  return { 'match[]': match, ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) }
}

/** promtool names the server in front of the expression; that works here as well. */
function clientOf(args: readonly string[], options: CommonOptions): { client: QueryClient; text: string } {
  const hasServer = args.length === 2 && /^https?:\/\//.test(args[0]!)
  if (args.length > 1 && !hasServer)
    throw new InvalidArgumentError(`expected one argument, got ${args.length}: quote it`)
  const url = hasServer ? args[0]! : options['server.url']
  return { client: new QueryClient(url, options.header), text: args.at(-1)! }
}

async function print<T>(
  pending: Promise<{ data: T; warnings: readonly string[] }>,
  options: CommonOptions,
  lines: (data: T) => readonly string[],
): Promise<void> {
  const { data, warnings } = await pending
  for (const warning of warnings) console.error(`warning: ${warning}`)
  if (options.format === 'json') console.log(JSON.stringify((data as { result?: unknown }).result ?? data))
  else for (const line of lines(data)) console.log(line)
}

function queryLines(data: QueryData): string[] {
  switch (data.resultType) {
    case 'vector':
      return data.result.map(
        ({ metric, value, histogram }) => `${metricText(metric)} => ${pointText((value ?? histogram)!)}`,
      )
    case 'matrix':
      return data.result.flatMap(({ metric, values = [], histograms = [] }) => {
        const points = [...values, ...histograms].sort((a, b) => a[0] - b[0])
        return [`${metricText(metric)} =>`, ...points.map(pointText)]
      })
    case 'scalar':
      return [`scalar: ${pointText(data.result)}`]
    case 'string':
      return [data.result[1]]
  }
}

const pointText = ([time, value]: Point | HistogramPoint): string =>
  `${typeof value === 'string' ? formatFloatPlain(parseGoFloat(value) ?? Number.NaN) : histogramText(value)} @[${time}]`

const BRACKETS = ['(]', '[)', '()', '[]']

const histogramText = ({ count, sum, buckets = [] }: Histogram): string =>
  `Count: ${count}, Sum: ${sum}, Buckets: [${buckets
    .map(([kind, lower, upper, inside]) => `${BRACKETS[kind]![0]}${lower},${upper}${BRACKETS[kind]![1]}:${inside}`)
    .join(' ')}]`

function metricText(metric: Metric): string {
  const { __name__: name = '', ...rest } = metric
  if (!isLegacyMetricName(name)) return labelSetText(metric)
  return Object.keys(rest).length === 0 ? name : `${name}${labelSetText(rest)}`
}

const labelSetText = (labels: Metric): string =>
  `{${Object.entries(labels)
    .map(([name, value]) => `${isLegacyLabelName(name) ? name : quoteGo(name)}=${quoteGo(value)}`)
    .sort()
    .join(', ')}}`

const collect = (value: string, before: readonly string[]): string[] => [...before, value]

function seconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = parseGoFloat(text) ?? Date.parse(text) / 1000
  if (Number.isNaN(value)) throw new CommandError(`not a time: ${text}`)
  return value
}

function durationSeconds(text: string): number {
  try {
    return parseGoFloat(text) ?? parseDuration(text) / 1000
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}
