import {
  formatFloatPlain,
  type InstantValue,
  labelsToRecord,
  parseDuration,
  type QueryFunction,
  compareStrings,
} from '../model/index.ts'
import { TemplateFunctionError } from './errors.ts'
import { formatFloat } from './go-float.ts'
import { GoDuration, GoTime } from './go-time.ts'
import { queryEscape } from './html-escape.ts'
import { entriesOf } from './kinds.ts'
import { humanize, humanize1024, humanizeDuration, humanizePercentage } from './number-text.ts'
import { regexpFinds, regexpReplaceAll } from './regexp.ts'
import { lowerCase, stripDomain, stripPort, titleCase, toFloat, upperCase } from './string-functions.ts'
import {
  asyncFunction,
  type FunctionMap,
  GoSlice,
  GoStruct,
  type GoValue,
  SafeText,
  stringMap,
  TemplateFunction,
  templateFunction,
  variadicFunction,
} from './values.ts'

export interface PrometheusFunctionOptions {
  /** Answers `query`, at `timeMs`. */
  readonly query: QueryFunction
  /** The time of evaluation, Unix milliseconds. */
  readonly timeMs: number
  /** Under which users reach the server, with its path prefix and without a slash at the end. */
  readonly externalUrl: string
}

/** What templates in rules' labels and annotations can call beside Go's own functions. */
export function prometheusFunctions(options: PrometheusFunctionOptions): FunctionMap {
  return {
    query: asyncFunction(['string'], async (expr) => toSamples(await options.query(expr, options.timeMs))),
    now: templateFunction([], () => options.timeMs / 1000),
    externalURL: templateFunction([], () => options.externalUrl),
    pathPrefix: templateFunction([], () => pathOf(options.externalUrl)),
    ...PURE_FUNCTIONS,
  }
}

const onNumber = (format: (value: number) => GoValue): TemplateFunction =>
  templateFunction(['any'], (value) => format(toFloat(value)))

const PURE_FUNCTIONS: FunctionMap = {
  first: templateFunction(['slice'], (samples) => {
    if (samples.length === 0) throw new TemplateFunctionError('first() called on vector with no elements')
    return samples[0]
  }),
  label: templateFunction(['string', 'any'], (name, sample) => labelOf(sample, name)),
  value: templateFunction(['any'], (sample) => sampleOf(sample).fields['Value']),
  strvalue: templateFunction(['any'], (sample) => labelOf(sample, '__value__')),
  sortByLabel: templateFunction(['string', 'slice'], (name, samples) =>
    queryResult([...samples].sort((a, b) => compareStrings(labelOf(a, name), labelOf(b, name)))),
  ),
  humanize: onNumber(humanize),
  humanize1024: onNumber(humanize1024),
  humanizeDuration: onNumber(humanizeDuration),
  humanizePercentage: onNumber(humanizePercentage),
  humanizeTimestamp: onNumber((seconds) =>
    Number.isFinite(seconds) ? timeOf(seconds).toString() : formatFloat(seconds, 'g', 4),
  ),
  toTime: onNumber((seconds) => timeOf(seconds)),
  toDuration: onNumber((seconds) => new GoDuration(nanosOf(seconds))),
  parseDuration: templateFunction(['string'], (text) => parseDuration(text) / 1000),
  title: templateFunction(['string'], titleCase),
  toUpper: templateFunction(['string'], upperCase),
  toLower: templateFunction(['string'], lowerCase),
  stripPort: templateFunction(['string'], stripPort),
  stripDomain: templateFunction(['string'], stripDomain),
  match: templateFunction(['string', 'string'], regexpFinds),
  reReplaceAll: templateFunction(['string', 'string', 'string'], regexpReplaceAll),
  graphLink: templateFunction(['string'], (expr) => `/graph?g0.expr=${queryEscape(expr)}&g0.tab=0`),
  tableLink: templateFunction(['string'], (expr) => `/graph?g0.expr=${queryEscape(expr)}&g0.tab=1`),
  urlQueryEscape: templateFunction(['string'], queryEscape),
  safeHtml: templateFunction(['string'], (text) => new SafeText('html', text)),
  args: variadicFunction('any', (...values) => Object.fromEntries(values.map((value, i) => [`arg${i}`, value]))),
  tmpl: new TemplateFunction({
    params: ['string', 'any'],
    call: ([name, data], context) => new SafeText('html', context.executeTemplate(name as string, data)),
  }),
}

function toSamples(answer: InstantValue): GoValue {
  if (answer.type === 'string') throw new TemplateFunctionError('rule result is not a vector or scalar')
  if (answer.type === 'scalar') return queryResult([createSample({}, answer.value)])
  return queryResult(answer.samples.map((sample) => createSample(labelsToRecord(sample.labels), sample.value)))
}

const queryResult = (samples: readonly GoValue[]): GoSlice => new GoSlice('template.queryResult', samples)

const createSample = (labels: Readonly<Record<string, string>>, value: number): GoStruct =>
  new GoStruct('*template.sample', { Labels: stringMap(labels), Value: value })

function sampleOf(value: GoValue): GoStruct {
  if (value instanceof GoStruct && value.typeName === '*template.sample') return value
  throw new TemplateFunctionError('not a sample of a query')
}

function labelOf(sample: GoValue, name: string): string {
  const value = entriesOf(sampleOf(sample).fields['Labels']).get(name)
  return typeof value === 'string' ? value : ''
}

function nanosOf(seconds: number): bigint {
  const nanos = seconds * 1e9
  if (!(Math.abs(nanos) < 2 ** 63))
    throw new TemplateFunctionError(
      `${formatFloatPlain(seconds)} cannot be represented as a nanoseconds timestamp since it overflows int64`,
    )
  return BigInt(Math.trunc(nanos))
}

/** In UTC, to the millisecond as all of the data. */
const timeOf = (seconds: number): GoTime => GoTime.fromUnixMs(Number(nanosOf(seconds) / 1_000_000n))

function pathOf(url: string): string {
  const path = URL.canParse(url) ? new URL(url).pathname : ''
  return path === '/' ? '' : path
}
