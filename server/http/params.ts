import type { FastifyRequest } from 'fastify'
import { AppError } from '../../lib/index.ts'
import { parseDuration, parseGoFloat } from '../../model/index.ts'

/** A request parameter that cannot be used; the message is Prometheus'. */
export class BadRequestError extends AppError {
  override readonly code = 'ERR_BAD_REQUEST'
  override readonly httpStatus = 400
}

/** Of a series in the answer to a range query. */
export const POINTS_MAX = 11_000

/** URL parameters and, for a POST form, the body's; the body's come first, as in Go's `FormValue`. */
export function paramsOf(request: FastifyRequest): URLSearchParams {
  const url = request.query as URLSearchParams
  if (!(request.body instanceof URLSearchParams)) return url
  return new URLSearchParams([...request.body, ...url])
}

const invalid = (name: string, why: string): BadRequestError =>
  new BadRequestError(`invalid parameter ${JSON.stringify(name)}: ${why}`)

/** Unix seconds (a float) or RFC 3339, in milliseconds. */
export function timeParam(params: URLSearchParams, name: string): number {
  const text = params.get(name) ?? ''
  const timeMs = parseTimeMs(text)
  if (timeMs === undefined) throw invalid(name, `cannot parse ${JSON.stringify(text)} to a valid timestamp`)
  return timeMs
}

/** As `timeParam`, with a value for when it is missing and the longer error of Prometheus' optional times. */
export function optionalTimeParam(params: URLSearchParams, name: string, whenMissingMs: number): number {
  const text = params.get(name) ?? ''
  if (text === '') return whenMissingMs
  const timeMs = parseTimeMs(text)
  if (timeMs === undefined) {
    throw invalid(name, `invalid time value for '${name}': cannot parse ${JSON.stringify(text)} to a valid timestamp`)
  }
  return timeMs
}

/** The earliest and latest instants that Go's clients send for "everything" (as Prometheus accepts them). */
const MIN_TIME_TEXT = '-292273086-05-16T16:47:06Z'
const MAX_TIME_TEXT = '292277025-08-18T07:12:54.999999999Z'
export const ALL_TIME = { minTimeMs: -(2 ** 53), maxTimeMs: 2 ** 53 } as const

function parseTimeMs(text: string): number | undefined {
  const seconds = parseGoFloat(text)
  if (seconds !== undefined) return Number.isFinite(seconds) ? Math.round(seconds * 1000) : undefined
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text)) {
    const ms = Date.parse(text)
    return Number.isNaN(ms) ? undefined : ms
  }
  if (text === MIN_TIME_TEXT) return ALL_TIME.minTimeMs
  if (text === MAX_TIME_TEXT) return ALL_TIME.maxTimeMs
  return undefined
}

/** Float seconds or a Prometheus duration, in milliseconds; `undefined` when missing. */
export function durationParam(params: URLSearchParams, name: string): number | undefined {
  const text = params.get(name) ?? ''
  if (text === '') return undefined
  const seconds = parseGoFloat(text)
  if (seconds !== undefined) {
    if (Math.abs(seconds) > (2 ** 63 - 1) / 1e9 || Number.isNaN(seconds)) {
      throw invalid(name, `cannot parse ${JSON.stringify(text)} to a valid duration. It overflows int64`)
    }
    return Math.round(seconds * 1000)
  }
  try {
    return parseDuration(text)
  } catch (cause) {
    const error = invalid(name, `cannot parse ${JSON.stringify(text)} to a valid duration`)
    error.cause = cause
    throw error
  }
}

/** As `limitParam`, with the shorter error of the metadata endpoints; a negative number is no limit. */
export function plainLimitParam(params: URLSearchParams, name = 'limit'): number {
  const text = params.get(name) ?? ''
  if (text !== '' && !/^[+-]?\d+$/.test(text)) throw new BadRequestError(`${name} must be a number`)
  return Math.max(0, Number(text))
}

/** Non-negative whole number; 0 = no limit. */
export function limitParam(params: URLSearchParams, name = 'limit'): number {
  const text = params.get(name) ?? ''
  if (text === '') return 0
  if (!/^[+-]?\d+$/.test(text)) throw invalid(name, `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  const limit = Number(text)
  if (limit < 0) throw invalid(name, 'limit must be non-negative')
  return limit
}
