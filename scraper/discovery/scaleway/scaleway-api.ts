import type { Ask } from '../http-kind.ts'
import type { ScalewaySdConfig } from './config.ts'

const API_URL = 'https://api.scaleway.com'
const ZONE_DEFAULT = 'fr-par-1'
const PAGE_SIZE = 50
const PAGE_COUNT_MAX = 1000

/** Lists of one zone. */
export class ScalewayApi {
  readonly zone: string
  readonly config: ScalewaySdConfig
  readonly #ask: Ask
  readonly #token: string

  constructor(ask: Ask, config: ScalewaySdConfig, token: string) {
    this.#ask = ask
    this.config = config
    this.#token = token
    this.zone = config.zone ?? ZONE_DEFAULT
  }

  /** All pages of a list below `/<product>/v1/zones/<zone>`. @param key of the list in the answer */
  zoned<T>(product: string, path: string, key: string, query: Readonly<Record<string, string>> = {}): Promise<T[]> {
    return this.all(`/${product}/v1/zones/${this.zone}/${path}`, key, query)
  }

  async all<T>(path: string, key: string, query: Readonly<Record<string, string>>): Promise<T[]> {
    const found: T[] = []
    for (let page = 1; page <= PAGE_COUNT_MAX; page++) {
      const params = new URLSearchParams({ ...query, page: String(page), per_page: String(PAGE_SIZE) })
      params.set('page_size', String(PAGE_SIZE))
      const url = `${this.config.apiUrl ?? API_URL}${path}?${params.toString()}`
      const answer = await this.#ask<Record<string, T[] | undefined>>(url, { headers: { 'x-auth-token': this.#token } })
      const items = answer[key] ?? []
      found.push(...items)
      if (items.length < PAGE_SIZE) break
    }
    return found
  }

  /** What the configuration narrows a list of servers to. */
  serverQuery(projectKey: string): Record<string, string> {
    const { nameFilter, tagsFilter = [], projectId } = this.config
    return {
      [projectKey]: projectId,
      ...(nameFilter && { name: nameFilter }),
      ...(tagsFilter.length > 0 && { tags: tagsFilter.join(',') }),
    }
  }
}
