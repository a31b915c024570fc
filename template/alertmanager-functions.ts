import type { Clock } from '../lib/index.ts'
import { TemplateFunctionError } from './errors.ts'
import { toGoJson } from './go-json.ts'
import { GoTime } from './go-time.ts'
import { entriesOf, kindOf } from './kinds.ts'
import { humanizeDuration } from './number-text.ts'
import { regexpFinds, regexpReplaceAll } from './regexp.ts'
import { lowerCase, titleCase, toFloat, upperCase } from './string-functions.ts'
import { parseTime } from './time-layout.ts'
import { loadZone } from './time-zone.ts'
import {
  type FunctionMap,
  GoStruct,
  type GoValue,
  SafeText,
  TemplateFunction,
  templateFunction,
  variadicFunction,
} from './values.ts'

/** What notification templates can call beside Go's own functions. */
export function alertmanagerFunctions(clock: Pick<Clock, 'nowMs'>): FunctionMap {
  const now = (): GoTime => GoTime.fromUnixMs(clock.nowMs()).local()
  return {
    now: templateFunction([], now),
    since: templateFunction(['time'], (time) => now().sub(time)),
    ...PURE_FUNCTIONS,
  }
}

const PURE_FUNCTIONS: FunctionMap = {
  toUpper: templateFunction(['string'], upperCase),
  toLower: templateFunction(['string'], lowerCase),
  title: templateFunction(['string'], (text) => titleCase(lowerCase(text))),
  trimSpace: templateFunction(['string'], (text) => text.trim()),
  join: templateFunction(['string', 'strings'], (separator, parts) => parts.join(separator)),
  match: templateFunction(['string', 'string'], regexpFinds),
  reReplaceAll: templateFunction(['string', 'string', 'string'], regexpReplaceAll),
  stringSlice: variadicFunction('string', (...parts) => parts),
  safeHtml: templateFunction(['string'], (text) => new SafeText('html', text)),
  safeUrl: templateFunction(['string'], (text) => new SafeText('url', text)),
  urlUnescape: templateFunction(['string'], queryUnescape),
  date: templateFunction(['string', 'time'], (layout, time) => time.format(layout)),
  tz: templateFunction(['string', 'time'], (name, time) => {
    const zone = loadZone(name)
    if (!zone) throw new TemplateFunctionError(`unknown time zone ${name}`)
    return time.in(zone)
  }),
  humanizeDuration: templateFunction(['any'], (value) => humanizeDuration(toFloat(value))),
  mustToDate: templateFunction(['string', 'string'], toDate),
  // As `mustToDate`, but what it cannot read is the zero time.
  toDate: templateFunction(['string', 'string'], (layout, text) => {
    try {
      return toDate(layout, text)
    } catch (error) {
      if (error instanceof TemplateFunctionError) return GoTime.ZERO
      throw error
    }
  }),
  toJson: templateFunction(['any'], toGoJson),
  base64encode: templateFunction(['string'], (text) => Buffer.from(text).toString('base64')),
  base64decode: templateFunction(['string'], base64Decode),
  dict: variadicFunction('any', (...values) => dictOf(values)),
  list: variadicFunction('any', (...values) => values),
  append: new TemplateFunction({
    params: ['slice'],
    variadic: 'any',
    call: ([list, ...more]) => [...(list as readonly GoValue[]), ...more],
  }),
  routeLabels: new TemplateFunction({
    params: ['string'],
    call: ([name], { rootData }) => {
      const labels = rootData instanceof GoStruct ? rootData.fields['RouteLabels'] : undefined
      return kindOf(labels) === 'map' ? (entriesOf(labels).get(name as string) ?? '') : ''
    },
  }),
}

function toDate(layout: string, text: string): GoTime {
  const { unixMs, nanosInMs, zone } = parseTime(layout, text)
  return new GoTime(unixMs, nanosInMs, zone)
}

function dictOf(values: readonly GoValue[]): GoValue {
  if (values.length % 2 !== 0) throw new TemplateFunctionError('dict requires an even number of arguments')
  const entries = new Map<string, GoValue>()
  for (let i = 0; i < values.length; i += 2) {
    const key = values[i]
    if (typeof key !== 'string') throw new TemplateFunctionError('dict keys must be strings')
    entries.set(key, values[i + 1])
  }
  return entries
}

function queryUnescape(text: string): string {
  const wrong = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(text)
  if (wrong) throw new TemplateFunctionError(`invalid URL escape ${JSON.stringify(wrong[0])}`)
  const bytes: Buffer[] = []
  for (const [piece] of text.replaceAll('+', ' ').matchAll(/(?:%[0-9a-fA-F]{2})+|[^%]+/g)) {
    bytes.push(piece.startsWith('%') ? Buffer.from(piece.replaceAll('%', ''), 'hex') : Buffer.from(piece))
  }
  return Buffer.concat(bytes).toString()
}

function base64Decode(text: string): string {
  const plain = text.replace(/[\r\n]/g, '')
  const wrong = plain.search(/[^A-Za-z0-9+/=]|=(?!=?$)/)
  if (wrong >= 0 || plain.length % 4 !== 0)
    throw new TemplateFunctionError(`illegal base64 data at input byte ${wrong >= 0 ? wrong : plain.length}`)
  return Buffer.from(plain, 'base64').toString()
}
