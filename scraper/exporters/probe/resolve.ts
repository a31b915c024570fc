import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { performance } from 'node:perf_hooks'
import type { IpOptions } from './config-keys.ts'
import type { ProbeLog, ProbeResult } from './probe-page.ts'

/** What every prober works with. */
export interface ProbeContext {
  readonly result: ProbeResult
  readonly log: ProbeLog
  /** On the `performance.now()` scale. */
  readonly deadlineMs: number
}

/** An address to probe was not found. */
export class ProbeFailure extends Error {}

export interface ResolvedAddress {
  readonly address: string
  readonly family: 4 | 6
  readonly durationSeconds: number
}

/** Looks a host up as the module prefers, and says so in the result. @throws {ProbeFailure} */
export async function resolveHost(
  host: string,
  options: IpOptions,
  { result, log, deadlineMs }: ProbeContext,
): Promise<ResolvedAddress> {
  const resolved = await lookUpHost(host, options, deadlineMs)
  const { address, family, durationSeconds } = resolved
  result.add('probe_dns_lookup_time_seconds', 'How long looking up the name took, in seconds.', durationSeconds)
  result.set('probe_ip_protocol', 'Version of the IP protocol that was used: 4 or 6.', family)
  result.set('probe_ip_addr_hash', 'Hash of the address, to see when it changes.', addressHash(address))
  log('resolved', { host, address })
  return resolved
}

/** An address of a host, of the preferred family where it has one. @throws {ProbeFailure} */
export async function lookUpHost(
  host: string,
  options: Pick<IpOptions, 'preferred_ip_protocol' | 'ip_protocol_fallback'>,
  deadlineMs: number,
): Promise<ResolvedAddress> {
  const startMs = performance.now()
  const literal = isIP(host)
  const found =
    literal === 0
      ? await beforeDeadline(lookUp(host), deadlineMs, `resolution of ${host} timed out`)
      : [{ address: host, family: literal }]
  const durationSeconds = (performance.now() - startMs) / 1000
  const preferred = options.preferred_ip_protocol === 'ip6' ? 6 : 4
  const picked =
    found.find(({ family }) => family === preferred) ?? (options.ip_protocol_fallback ? found[0] : undefined)
  if (!picked) throw new ProbeFailure(`${host} has no ${options.preferred_ip_protocol} address`)
  return { address: picked.address, family: picked.family === 6 ? 6 : 4, durationSeconds }
}

const lookUp = (host: string): Promise<LookupAddress[]> =>
  lookup(host, { all: true, verbatim: true }).catch((cause: unknown) => {
    throw new ProbeFailure(`resolution of ${host} failed: ${(cause as Error).message}`, { cause })
  })

/** The system looks names up for as long as it likes. @throws {ProbeFailure} */
export function beforeDeadline<T>(work: Promise<T>, deadlineMs: number, late: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new ProbeFailure(late)), Math.max(0, deadlineMs - performance.now()))
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** FNV-1a over the address as text. */
function addressHash(address: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(address)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
