import { createHash } from 'node:crypto'
import type { Clock } from '../../../lib/index.ts'
import type { Ask } from '../http-kind.ts'
import type { OvhCloudSdConfig } from './config.ts'

const ENDPOINTS: Readonly<Record<string, string>> = {
  'ovh-eu': 'https://eu.api.ovh.com/1.0',
  'ovh-ca': 'https://ca.api.ovh.com/1.0',
  'ovh-us': 'https://api.us.ovhcloud.com/1.0',
  'kimsufi-eu': 'https://eu.api.kimsufi.com/1.0',
  'kimsufi-ca': 'https://ca.api.kimsufi.com/1.0',
  'soyoustart-eu': 'https://eu.api.soyoustart.com/1.0',
  'soyoustart-ca': 'https://ca.api.soyoustart.com/1.0',
}

/** OVHcloud's interface: every question carries a signature over itself and the server's time. */
export class OvhApi {
  readonly #config: OvhCloudSdConfig
  readonly #ask: Ask
  readonly #clock: Clock
  readonly #base: string
  /** The server's clock less ours. */
  #aheadSeconds: number | undefined

  constructor(config: OvhCloudSdConfig, ask: Ask, clock: Clock) {
    this.#config = config
    this.#ask = ask
    this.#clock = clock
    const { endpoint = 'ovh-eu' } = config
    this.#base = (ENDPOINTS[endpoint] ?? endpoint).replace(/\/+$/, '')
  }

  async get<T>(path: string): Promise<T> {
    const nowSeconds = Math.floor(this.#clock.nowMs() / 1000)
    this.#aheadSeconds ??= (await this.#ask<number>(`${this.#base}/auth/time`)) - nowSeconds
    const { applicationKey, applicationSecret, consumerKey } = this.#config
    const url = this.#base + path
    const time = String(nowSeconds + this.#aheadSeconds)
    const signed = [applicationSecret, consumerKey, 'GET', url, '', time].join('+')
    return this.#ask<T>(url, {
      headers: {
        'x-ovh-application': applicationKey,
        'x-ovh-consumer': consumerKey,
        'x-ovh-timestamp': time,
        'x-ovh-signature': `$1$${createHash('sha1').update(signed).digest('hex')}`,
      },
    })
  }
}
