import type { HttpClient } from '../../lib/index.ts'
import { askJson, DiscoveryError } from '../discovery/poll.ts'
import type { SecretKey, SecretOrConfigMap } from './objects.ts'

const TIMEOUT_MS = 30_000

/** Reads what objects refer to, in the namespace of the object; each Secret and ConfigMap once. */
export class SecretReader {
  readonly #client: HttpClient
  readonly #apiUrl: string
  readonly #read = new Map<string, Promise<Readonly<Record<string, string>>>>()

  constructor(client: HttpClient, apiUrl: string) {
    this.#client = client
    this.#apiUrl = apiUrl
  }

  /** Whether anything was read: it may change without a change of the objects. */
  get isUsed(): boolean {
    return this.#read.size > 0
  }

  /** @throws {DiscoveryError} where there is no such Secret or key */
  async secret(namespace: string, { name, key }: SecretKey): Promise<string> {
    const data = await this.#object(`namespaces/${namespace}/secrets/${name}`)
    if (data[key] === undefined) throw new DiscoveryError(`the Secret ${namespace}/${name} has no key ${key}`)
    return Buffer.from(data[key], 'base64').toString()
  }

  /** @throws {DiscoveryError} */
  async either(namespace: string, { secret, configMap }: SecretOrConfigMap): Promise<string> {
    if (secret) return this.secret(namespace, secret)
    if (!configMap) throw new DiscoveryError('neither a Secret nor a ConfigMap is named')
    const { name, key } = configMap
    const data = await this.#object(`namespaces/${namespace}/configmaps/${name}`)
    if (data[key] === undefined) throw new DiscoveryError(`the ConfigMap ${namespace}/${name} has no key ${key}`)
    return data[key]
  }

  #object(path: string): Promise<Readonly<Record<string, string>>> {
    let held = this.#read.get(path)
    if (!held) {
      held = askJson(this.#client, { url: `${this.#apiUrl}/api/v1/${path}`, timeoutMs: TIMEOUT_MS }).then(
        ({ value }) => (value as { data?: Record<string, string> }).data ?? {},
      )
      this.#read.set(path, held)
    }
    return held
  }
}
