import { hostPort, type MetaLabels, sanitizeName, text } from '../meta-labels.ts'

interface Place {
  readonly host?: string
  readonly port?: number
}

/** `undefined` for a node that describes no member: one that groups others, say. */
export function memberLabels(kind: 'serverset' | 'nerve', path: string, data: Buffer): MetaLabels | undefined {
  let member: unknown
  try {
    member = JSON.parse(data.toString())
  } catch {
    return undefined
  }
  if (typeof member !== 'object' || member === null || Array.isArray(member)) return undefined
  return kind === 'nerve' ? nerveLabels(path, member) : serversetLabels(path, member)
}

function nerveLabels(path: string, member: Place & { readonly name?: string }): MetaLabels {
  const label = '__meta_nerve_'
  return {
    __address__: hostPort(text(member.host), member.port ?? 0),
    [`${label}path`]: path,
    [`${label}endpoint_name`]: text(member.name),
    ...placeLabels(`${label}endpoint`, '', member),
  }
}

interface Serverset {
  readonly serviceEndpoint?: Place
  readonly additionalEndpoints?: Readonly<Record<string, Place>>
  readonly status?: string
  readonly shard?: number
}

function serversetLabels(path: string, member: Serverset): MetaLabels {
  const label = '__meta_serverset_'
  const { serviceEndpoint: main = {}, additionalEndpoints = {} } = member
  const labels: MetaLabels = {
    __address__: hostPort(text(main.host), main.port ?? 0),
    [`${label}path`]: path,
    [`${label}status`]: text(member.status),
    [`${label}shard`]: String(member.shard ?? 0),
    ...placeLabels(`${label}endpoint`, '', main),
  }
  for (const [name, place] of Object.entries(additionalEndpoints)) {
    Object.assign(labels, placeLabels(`${label}endpoint`, `_${sanitizeName(name)}`, place))
  }
  return labels
}

const placeLabels = (prefix: string, suffix: string, { host, port }: Place): MetaLabels => ({
  [`${prefix}_host${suffix}`]: text(host),
  [`${prefix}_port${suffix}`]: String(port ?? 0),
})
