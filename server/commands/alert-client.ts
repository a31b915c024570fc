import { Option, type Command } from 'commander'
import { AppError, errorMessage, type HttpClient } from '../../lib/index.ts'
import { createHttpClient } from '../../lib/undici-client.ts'

/** A command that could not do what it was asked; the message is all that the user needs. */
export class CommandError extends AppError {
  override readonly code = 'ERR_COMMAND'
  override readonly httpStatus = 400
}

export type Output = 'simple' | 'extended' | 'json'

const TIMEOUT_DEFAULT_MS = 30_000

/** The options of every command that talks to a running server; names as amtool has them. */
export const withServerOptions = (command: Command): Command =>
  command
    .addOption(
      new Option('--server.url <url>', 'where Belltower runs')
        .default('http://127.0.0.1:9090')
        .env('BELLTOWER_SERVER_URL'),
    )
    .option('--alertmanager.url <url>', 'an Alertmanager of its own address; default: /alertmanager of the server')
    .addOption(
      new Option('-o, --output <format>', 'how to print').choices(['simple', 'extended', 'json']).default('simple'),
    )

/** @param command the one that was called; commander keeps dotted options under their names */
function serverOptionsOf(command: Command): { readonly output: Output; readonly api: AlertsClient } {
  const options = command.optsWithGlobals<Record<string, string | undefined>>()
  const serverUrl = (options['server.url'] ?? '').replace(/\/+$/, '')
  const alertmanagerUrl = options['alertmanager.url']?.replace(/\/+$/, '')
  return { output: options['output'] as Output, api: new AlertsClient(serverUrl, alertmanagerUrl) }
}

/** API v2 and Belltower's own interface to alerts of one running server. */
export class AlertsClient {
  readonly #client: HttpClient = createHttpClient()
  readonly #alertmanagerUrl: string
  readonly #ownUrl: string

  constructor(serverUrl: string, alertmanagerUrl: string | undefined) {
    this.#alertmanagerUrl = `${alertmanagerUrl ?? `${serverUrl}/alertmanager`}/api/v2`
    this.#ownUrl = `${alertmanagerUrl ?? serverUrl}/api/belltower/v1/alerting`
  }

  /** @throws {CommandError} */
  v2(method: string, path: string, body?: unknown): Promise<unknown> {
    return this.#call(method, this.#alertmanagerUrl + path, body)
  }

  /** @throws {CommandError} */
  own(method: string, path: string, body?: unknown): Promise<unknown> {
    return this.#call(method, this.#ownUrl + path, body)
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  async #call(method: string, url: string, body: unknown): Promise<unknown> {
    const response = await this.#client
      .request({
        url,
        method,
        timeoutMs: TIMEOUT_DEFAULT_MS,
        ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      })
      .catch((cause: unknown) => {
        throw new CommandError(errorMessage(cause), { cause })
      })
    const text = Buffer.from(response.body).toString('utf8').trim()
    if (response.status >= 200 && response.status < 300) return text === '' ? undefined : JSON.parse(text)
    throw new CommandError(`${method} ${url}: status ${response.status}: ${whyOf(text)}`)
  }
}

function whyOf(text: string): string {
  try {
    const value = JSON.parse(text) as { error?: unknown; message?: unknown } | string
    return typeof value === 'string' ? value : String(value.error ?? value.message ?? text)
  } catch {
    // Not one of our answers; it is shown as it is.
    return text.slice(0, 300)
  }
}

/** Runs an action and ends the connection, whatever happens. */
export async function withApi(
  command: Command,
  run: (api: AlertsClient, output: Output) => Promise<void>,
): Promise<void> {
  const { api, output } = serverOptionsOf(command)
  try {
    await run(api, output)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    console.error(`belltower: ${error.message}`)
    process.exitCode = 1
  } finally {
    await api.close()
  }
}

/** Columns as wide as their widest cell, two spaces between them. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)))
  for (const row of [head, ...rows])
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
}

/** `name=value` pairs, values perhaps in double quotes. @throws {CommandError} */
export function pairsOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, value = ''] = /^([^=!~\s]+)=([^~].*)?$/s.exec(text) ?? []
      if (name === undefined) throw new CommandError(`not name=value: ${text}`)
      return [name, value.replace(/^"(.*)"$/s, '$1')]
    }),
  )
}

/** A word alone means the alert's name, as in amtool. */
export const matcherTexts = (words: readonly string[]): string[] =>
  words.map((word, i) => (i === 0 && /^[^=!~"{}\s]+$/.test(word) ? `alertname=${JSON.stringify(word)}` : word))

export const queryText = (pairs: readonly (readonly [string, string])[]): string => {
  const text = new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, value])).toString()
  return text === '' ? '' : `?${text}`
}
