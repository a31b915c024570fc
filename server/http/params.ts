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

const RFC_3339 = /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

/** `Date` takes the 30th of February for the 1st or 2nd of March. */
function isCalendarDay(text: string): boolean {
  const day = text.slice(0, 'YYYY-MM-DD'.length)
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)
}

/** The fraction is rounded by itself, as in Go: a product with the whole seconds would be rounded before. */
function roundedMs(seconds: number): number {
  const whole = Math.trunc(seconds)
  return whole * 1000 + Math.round((seconds - whole) * 1000)
}

function parseTimeMs(text: string): number | undefined {
  const seconds = parseGoFloat(text)
  if (seconds !== undefined) return Number.isFinite(seconds) ? roundedMs(seconds) : undefined
  if (RFC_3339.test(text)) {
    const ms = Date.parse(text)
    return Number.isNaN(ms) || !isCalendarDay(text) ? undefined : ms
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
    // Go holds whole nanoseconds, and cuts what is below.
    return Math.trunc(seconds * 1e9) / 1e6
  }
  try {
    return parseDuration(text)
  } catch (cause) {
    const error = invalid(name, `cannot parse ${JSON.stringify(text)} to a valid duration`)
    error.cause = cause
    throw error
  }
}

/** `lookback_delta` in milliseconds; `undefined` for the server's own, as without it and for all that is not above zero. */
export function lookbackParam(params: URLSearchParams): number | undefined {
  try {
    const deltaMs = durationParam(params, 'lookback_delta') ?? 0
    return deltaMs > 0 ? Math.max(1, Math.trunc(deltaMs)) : undefined
  } catch (cause) {
    const why = (cause as Error).message.replace('invalid parameter "lookback_delta"', '')
    throw new BadRequestError(`error parsing lookback delta duration${why}`, { cause })
  }
}

/** As `limitParam`, with the shorter error of the metadata endpoints; without it, and for a negative one, there is no limit. */
export function plainLimitParam(params: URLSearchParams, name = 'limit'): number {
  const text = params.get(name) ?? ''
  if (text === '') return Number.POSITIVE_INFINITY
  if (!/^[+-]?\d+$/.test(text)) throw new BadRequestError(`${name} must be a number`)
  const limit = Number(text)
  return limit < 0 ? Number.POSITIVE_INFINITY : limit
}

/** Non-negative whole number; 0 = no limit. */
export function limitParam(params: URLSearchParams, name = 'limit'): number {
  const text = params.get(name) ?? ''
  if (text === '') return 0
  if (!/^[+-]?\d+$/.test(text)) throw invalid(name, `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  const limit = Number(text)
  if (Math.abs(limit) >= 2 ** 63)
    throw invalid(name, `strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range`)
  if (limit < 0) throw invalid(name, 'limit must be non-negative')
  return limit
}
