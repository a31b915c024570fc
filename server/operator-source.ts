import { isDeepStrictEqual } from 'node:util'
import type { Clock, Logger } from '../lib/index.ts'
import { type OperatorObjects, watchOperator } from '../scraper/index.ts'
import type { FoundObjects, OperatorSettings } from './config/operator-settings.ts'

const NOTHING: FoundObjects = { scrapeConfigs: [], ruleGroups: [], faults: [] }

/** Jobs and rules that stand as objects in a Kubernetes cluster, beside those of the files. */
export class OperatorSource {
  readonly #parts: { readonly clock: Clock; readonly logger: Logger; readonly onChange: () => void }
  #settings: OperatorSettings | undefined
  #objects: OperatorObjects | undefined
  #watch: { stop(): Promise<void> } | undefined
  #found = NOTHING

  /** @param parts.onChange other objects were found: `found` is new */
  constructor(parts: { readonly clock: Clock; readonly logger: Logger; readonly onChange: () => void }) {
    this.#parts = parts
  }

  get found(): FoundObjects {
    return this.#found
  }

  /** A configuration that asks the same of the same cluster keeps what was found. */
  async apply(settings: OperatorSettings | undefined): Promise<void> {
    const isSame = isDeepStrictEqual(settings?.config, this.#settings?.config)
    this.#settings = settings
    if (isSame) return this.#read()
    await this.#watch?.stop()
    this.#watch = undefined
    this.#objects = undefined
    this.#read()
    if (settings === undefined) return
    this.#watch = watchOperator(settings.config, this.#parts, (objects) => {
      this.#objects = objects
      this.#read()
      this.#parts.onChange()
    })
  }

  async stop(): Promise<void> {
    await this.#watch?.stop()
  }

  #read(): void {
    this.#found = this.#settings && this.#objects ? this.#settings.read(this.#objects) : NOTHING
    for (const fault of this.#found.faults) {
      this.#parts.logger.warn({ fault }, 'an object of the Prometheus Operator cannot be used')
    }
  }
}
