import { BlockList, isIP } from 'node:net'
import type { HttpClientConfig } from './http-client.ts'

/**
 * The proxy a request goes through, `undefined` = none. A `proxy_url` without exceptions takes everything; otherwise hosts of
 * `no_proxy` and this machine's own names are asked directly, as Go's httpproxy does.
 */
export function proxyOf(
  url: URL,
  config: Pick<HttpClientConfig, 'proxyUrl' | 'noProxy' | 'proxyFromEnvironment'>,
  env: NodeJS.ProcessEnv,
): string | undefined {
  if (config.proxyFromEnvironment) {
    const variable = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy'
    const proxy = env[variable.toUpperCase()] || env[variable]
    if (!proxy || isException(url, env.NO_PROXY || env.no_proxy || '')) return undefined
    return proxy.includes('://') ? proxy : `http://${proxy}`
  }
  if (config.proxyUrl === undefined) return undefined
  return config.noProxy && isException(url, config.noProxy) ? undefined : config.proxyUrl
}

function isException(url: URL, noProxy: string): boolean {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  if (host === 'localhost' || host.startsWith('127.') || host === '::1') return true
  return noProxy.split(',').some((entry) => matchesEntry(entry.trim().toLowerCase(), host, port))
}

function matchesEntry(entry: string, host: string, port: string): boolean {
  if (entry === '') return false
  if (entry === '*') return true
  const cidr = /^(.+)\/(\d+)$/.exec(entry)
  if (cidr && isIP(cidr[1]!)) return isIP(host) === isIP(cidr[1]!) && inNetwork(host, cidr[1]!, Number(cidr[2]))
  if (isIP(entry)) return entry === host
  const [, name, onlyPort] = /^(.*?)(?::(\d+))?$/.exec(entry)!
  if (onlyPort !== undefined && onlyPort !== port) return false
  const bare = name!.replace(/^\[(.*)\]$/, '$1').replace(/^\*\./, '.')
  // ".example.org" means names below it, "example.org" also the name itself.
  return bare.startsWith('.') ? host.endsWith(bare) : host === bare || host.endsWith(`.${bare}`)
}

function inNetwork(host: string, network: string, bits: number): boolean {
  const type = isIP(network) === 6 ? 'ipv6' : 'ipv4'
  if (bits > (type === 'ipv6' ? 128 : 32)) return false
  const list = new BlockList()
  list.addSubnet(network, bits, type)
  return list.check(host, type)
}
