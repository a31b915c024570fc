/** Reads the files of a configuration: here, or in a thread of its own where a long one would hold this one up. */
import type { Worker } from 'node:worker_threads'
import { type Node, parseDocument, stringify, visit } from 'yaml'
import type { z } from 'zod'
import { type ParsedConfig, RpcClient, startWorker, Turns } from '../../lib/index.ts'
import { ConfigError, parseConfig } from '../../lib/yaml-config.ts'
import { configSchema, scrapeFileSchema } from './schema.ts'

/** What a file may be. */
const SCHEMAS = { config: configSchema, scrapeFile: scrapeFileSchema }
export type ConfigKind = keyof typeof SCHEMAS
type ConfigOf<K extends ConfigKind> = z.infer<(typeof SCHEMAS)[K]>

/** Parts of the main file that stand for a file of their own. */
export const INLINE_KEYS = ['alertmanager', 'probes', 'on_call'] as const
export type InlineKey = (typeof INLINE_KEYS)[number]

export interface ReadConfig<T> extends ParsedConfig<T> {
  /** The text of a part under `belltower:`, at the lines and columns where it stands. There must be such a part. */
  inlineText(key: InlineKey): string
}

/** What crosses between threads. */
export type ReadAnswer =
  | { readonly value: unknown; readonly inline: Readonly<Partial<Record<InlineKey, string>>> }
  | { readonly faults: readonly string[] }

export interface ReadQuestion {
  readonly kind: ConfigKind
  readonly fileName: string
  readonly text: string
}

// Shorter texts are read in less time than a thread takes to start.
const LONG_TEXT = 20_000

export class ConfigReader {
  readonly #mayUseThread: boolean
  #worker: Worker | undefined
  #calls: RpcClient | undefined

  /** @param mayUseThread true: other work must not wait for long files */
  constructor(mayUseThread: boolean) {
    this.#mayUseThread = mayUseThread
  }

  /** @throws {ConfigError} listing every fault that the schema finds */
  async read<K extends ConfigKind>(kind: K, fileName: string, text: string): Promise<ReadConfig<ConfigOf<K>>> {
    if (!this.#mayUseThread || text.length < LONG_TEXT) return readHere(kind, fileName, text)
    const question: ReadQuestion = { kind, fileName, text }
    const answer = await this.#thread().call<ReadAnswer>('read', question)
    // Taking over what the thread has made of a long file was a turn's work.
    await new Turns().next()
    if ('faults' in answer) throw new ConfigError(answer.faults)
    let here: ReadConfig<ConfigOf<K>> | undefined
    return {
      value: answer.value as ConfigOf<K>,
      // Where something stands is asked of a file that fails.
      fault: (path, why) => (here ??= readHere(kind, fileName, text)).fault(path, why),
      inlineText: (key) => answer.inline[key]!,
    }
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
  }

  #thread(): RpcClient {
    if (this.#calls === undefined) {
      this.#worker = startWorker(new URL('./config-worker.ts', import.meta.url))
      this.#calls = new RpcClient(this.#worker)
    }
    return this.#calls
  }
}

/** @throws {ConfigError} */
export function readHere<K extends ConfigKind>(kind: K, fileName: string, text: string): ReadConfig<ConfigOf<K>> {
  const schema = SCHEMAS[kind] as unknown as z.ZodType<ConfigOf<K>>
  return { ...parseConfig(fileName, text, schema), inlineText: (key) => inlineText(text, key) }
}

/** Only that part of the document, at the lines and columns where it stands, so that faults in it are told where they are. */
function inlineText(text: string, key: InlineKey): string {
  const document = parseDocument(text, { merge: true })
  const inline = document.getIn(['belltower', key], true) as Node
  let hasAlias = false
  visit(inline, {
    Alias: () => {
      hasAlias = true
    },
  })
  // What an alias stands for lies elsewhere; then the places are lost.
  if (hasAlias || !inline.range) return stringify(inline.toJS(document))
  const [start, end] = inline.range
  return text.slice(0, start).replace(/[^\n\r]/g, ' ') + text.slice(start, end)
}
