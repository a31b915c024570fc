import type { MetaLabels } from '../meta-labels.ts'
import type { IngressObject } from './kubernetes-objects.ts'
import { PREFIX } from './kubernetes-labels.ts'

/** A target per rule and path. */
export function ingressTargets({ spec }: IngressObject): MetaLabels[] {
  const tlsHosts = new Set((spec?.tls ?? []).flatMap(({ hosts }) => hosts ?? []))
  // A TLS section without hosts covers all of them.
  const isAllTls = (spec?.tls ?? []).some(({ hosts }) => (hosts ?? []).length === 0)
  return (spec?.rules ?? []).flatMap(({ host = '', http }) => {
    const isTls = isAllTls || [...tlsHosts].some((pattern) => covers(pattern, host))
    const paths = http?.paths?.length ? http.paths.map(({ path }) => path || '/') : ['/']
    return paths.map((path) => ({
      __address__: host,
      [`${PREFIX}ingress_scheme`]: isTls ? 'https' : 'http',
      [`${PREFIX}ingress_host`]: host,
      [`${PREFIX}ingress_path`]: path,
    }))
  })
}

/** `*.example.org` stands for one more label in front. */
function covers(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === host
  const dot = host.indexOf('.')
  return dot > 0 && host.slice(dot) === pattern.slice(1)
}
