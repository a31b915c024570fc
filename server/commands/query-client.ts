import { CommandError } from './alert-client.ts'

interface Envelope {
  readonly status: string
  readonly data: unknown
  readonly errorType?: string
  readonly error?: string
  readonly warnings?: readonly string[]
  readonly infos?: readonly string[]
}

/** Asks the HTTP API of a running server, ours or another's. A user and password in its URL are sent as basic auth. */
export class QueryClient {
  readonly #base: string
  readonly #headers: Record<string, string>

  /** @param headers `key=value` each @throws {CommandError} */
  constructor(url: string, headers: readonly string[]) {
    if (!URL.canParse(url)) throw new CommandError(`not a URL: ${url}`)
    const parsed = new URL(url)
    this.#headers = Object.fromEntries(
      headers.map((header) => [header.slice(0, header.indexOf('=')), header.slice(header.indexOf('=') + 1)]),
    )
    if (parsed.username !== '') {
      const credentials = `${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`
      this.#headers.authorization = `Basic ${Buffer.from(credentials).toString('base64')}`
    }
    this.#base = `${parsed.protocol}//${parsed.host}${parsed.pathname.replace(/\/+$/, '')}`
  }

  /** @throws {CommandError} */
  async get<T>(
    path: string,
    parameters: Readonly<Record<string, string | readonly string[]>>,
    prefix = '/api/v1',
  ): Promise<{ data: T; warnings: readonly string[] }> {
    const query = new URLSearchParams()
    for (const [name, value] of Object.entries(parameters)) {
      for (const item of typeof value === 'string' ? [value] : value) query.append(name, item)
    }
    const answer = await this.#fetch(`${this.#base}${prefix}/${path}?${query}`)
    const text = await answer.text()
    const body = parse(text)
    if (body === undefined) throw new CommandError(`the server answered ${answer.status}: ${text.slice(0, 300).trim()}`)
    if (body.status !== 'success') throw new CommandError(`query error: ${body.errorType}: ${body.error}`)
    return { data: body.data as T, warnings: [...(body.warnings ?? []), ...(body.infos ?? [])] }
  }

  async #fetch(url: string): Promise<Response> {
    try {
      return await fetch(url, { headers: this.#headers })
    } catch (cause) {
      const why = ((cause as Error).cause as Error | undefined)?.message ?? (cause as Error).message
      throw new CommandError(`cannot reach ${this.#base}: ${why}`, { cause })
    }
  }
}

function parse(text: string): Envelope | undefined {
  try {
    return JSON.parse(text) as Envelope
  } catch {
    return undefined
  }
}
