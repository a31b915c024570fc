import { errorMessage, type HttpClient } from '../../lib/index.ts'
import { askJson, DiscoveryError } from '../discovery/poll.ts'
import type { SecretKey, SecretOrConfigMap } from './objects.ts'

const TIMEOUT_MS = 30_000
// As Kubernetes takes it: no other place of its interface can be reached by a name.
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/
const NAME_LENGTH_MAX = 253

/** The cluster does not say what is in a Secret or ConfigMap; it may at another time. */
export class SecretUnreadableError extends DiscoveryError {}

type Data = Readonly<Record<string, string>>

/** Reads what objects refer to, in the namespace of the object; each Secret and ConfigMap once. */
export class SecretReader {
  readonly #client: HttpClient
  readonly #apiUrl: string
  readonly #read = new Map<string, Promise<Data>>()

  constructor(client: HttpClient, apiUrl: string) {
    this.#client = client
    this.#apiUrl = apiUrl
  }

  /** Whether anything was read: it may change without a change of the objects. */
  get isUsed(): boolean {
    return this.#read.size > 0
  }

  /**
   * @param field of the object that refers to it
   * @throws {DiscoveryError} where there is no such Secret or key, or the name is none
   * @throws {SecretUnreadableError}
   */
  async secret(namespace: string, { name, key }: SecretKey, field: string): Promise<string> {
    const data = await this.#object(namespace, 'secrets', name, field)
    if (data[key] === undefined) throw new DiscoveryError(`the Secret ${namespace}/${name} has no key ${key}`)
    return Buffer.from(data[key], 'base64').toString()
  }

  /**
   * @param field of the object that refers to it
   * @throws {DiscoveryError} where there is no such object or key, or the name is none
   * @throws {SecretUnreadableError}
   */
  async either(namespace: string, { secret, configMap }: SecretOrConfigMap, field: string): Promise<string> {
    if (secret) return this.secret(namespace, secret, `${field}.secret`)
    if (!configMap) throw new DiscoveryError(`${field} names neither a Secret nor a ConfigMap`)
    const { name, key } = configMap
    const data = await this.#object(namespace, 'configmaps', name, `${field}.configMap`)
    if (data[key] === undefined) throw new DiscoveryError(`the ConfigMap ${namespace}/${name} has no key ${key}`)
    return data[key]
  }

  async #object(namespace: string, collection: string, name: string, field: string): Promise<Data> {
    if (name.length > NAME_LENGTH_MAX || !NAME.test(name)) {
      throw new DiscoveryError(`${field}.name ${JSON.stringify(name)} is not a name that an object can have`)
    }
    const path = `namespaces/${encodeURIComponent(namespace)}/${collection}/${encodeURIComponent(name)}`
    let held = this.#read.get(path)
    if (!held) {
      held = this.#ask(path)
      this.#read.set(path, held)
    }
    return held
  }

  async #ask(path: string): Promise<Data> {
    try {
      const { value } = await askJson(this.#client, { url: `${this.#apiUrl}/api/v1/${path}`, timeoutMs: TIMEOUT_MS })
      return (value as { data?: Data }).data ?? {}
    } catch (error) {
      if (error instanceof DiscoveryError && error.status === 404) throw error
      throw new SecretUnreadableError(errorMessage(error), { cause: error })
    }
  }
}
