// Requests to the server this page came from: few at a time, the visible first, given up when no longer wanted.
import { basePath } from '../state/route.ts'

const IN_FLIGHT_MAX = 6
const GET_QUERY_MAX = 1500

/** The server refused or could not be reached. `status` is 0 where there was no answer. */
export class ApiError extends Error {
  readonly status: number

  constructor(message: string, status: number, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ApiError'
    this.status = status
  }
}

export interface Request {
  readonly signal?: AbortSignal | undefined
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly params?: URLSearchParams | undefined
  readonly json?: unknown
}

let inFlight = 0
const waiting: (() => void)[] = []

/** @throws {ApiError} */
export async function request(path: string, { signal, method, params, json }: Request = {}): Promise<Response> {
  await enter(signal)
  try {
    return await send(path, { signal, params, json, method: method ?? 'GET' })
  } finally {
    inFlight--
    waiting.shift()?.()
  }
}

/** The answer's body. @throws {ApiError} */
export async function requestJson<T>(path: string, options: Request = {}): Promise<T> {
  return (await (await request(path, options)).json()) as T
}

/** Long queries are posted: addresses are limited in length. */
export async function requestForm(path: string, params: URLSearchParams, signal?: AbortSignal): Promise<Response> {
  const long = params.toString().length > GET_QUERY_MAX
  return request(path, { signal, params, method: long ? 'POST' : 'GET' })
}

async function enter(signal: AbortSignal | undefined): Promise<void> {
  while (inFlight >= IN_FLIGHT_MAX) await new Promise<void>((resolve) => waiting.push(resolve))
  if (signal?.aborted) {
    waiting.shift()?.()
    throw new ApiError('given up', 0)
  }
  inFlight++
}

async function send(path: string, { signal, method, params, json }: Request): Promise<Response> {
  const inBody = method === 'POST' && params !== undefined
  const query = params === undefined || inBody ? '' : `?${params}`
  const body = inBody ? params : json === undefined ? null : JSON.stringify(json)
  let response: Response
  try {
    response = await fetch(`${basePath}${path}${query}`, {
      method: method ?? 'GET',
      body,
      signal: signal ?? null,
      headers: json === undefined ? {} : { 'content-type': 'application/json' },
    })
  } catch (cause) {
    throw new ApiError('The server cannot be reached.', 0, { cause })
  }
  if (!response.ok) throw new ApiError(await failureText(response), response.status)
  return response
}

/** Prometheus answers `{status, error}`, Alertmanager a bare JSON string or `{message}`. */
async function failureText(response: Response): Promise<string> {
  const text = await response.text()
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'string') return body
    if (typeof body === 'object' && body !== null) {
      const { error, message } = body as { error?: unknown; message?: unknown }
      if (typeof error === 'string') return error
      if (typeof message === 'string') return message
    }
  } catch {
    // Not JSON: a proxy's page, of which only the status helps.
  }
  return `The server answered ${response.status} ${response.statusText}`.trim()
}
