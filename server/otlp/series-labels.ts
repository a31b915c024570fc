import { compareStrings, type Labels, labelsFromEntries } from '../../model/index.ts'
import type { OtlpConfig } from '../config/otlp-schema.ts'
import type { Attributes, Scope } from './messages.ts'
import { labelNameOf } from './names.ts'

const IDENTIFYING: ReadonlySet<string> = new Set(['service.namespace', 'service.name', 'service.instance.id'])

/** The labels that all series of a resource and scope have. */
export class SharedLabels {
  readonly #config: OtlpConfig
  readonly #resource: Attributes
  readonly #identity: readonly (readonly [string, string])[]
  readonly #promoted: Attributes
  #scope: readonly (readonly [string, string])[] = []

  constructor(resource: Attributes, config: OtlpConfig) {
    this.#config = config
    this.#resource = resource
    this.#identity = identityOf(new Map(resource))
    const { promoteAllResourceAttributes: all, promoteResourceAttributes: some, ignoreResourceAttributes } = config
    this.#promoted = resource.filter(([name]) => (all ? !ignoreResourceAttributes.includes(name) : some.includes(name)))
  }

  enterScope({ name, version, schemaUrl, attributes }: Scope): void {
    if (!this.#config.promoteScopeMetadata) return
    this.#scope = [
      ['otel_scope_name', name],
      ['otel_scope_version', version],
      ['otel_scope_schema_url', schemaUrl],
      ...attributes.map(([key, value]) => [labelNameOf(`otel_scope_${key}`, this.#config), value] as const),
    ]
  }

  /** Of a series: attributes of the point go before those of the resource. */
  of(metricName: string, attributes: Attributes): (readonly [string, string])[] {
    const own = translated(attributes, this.#config)
    const names = new Set(own.map(([name]) => name))
    const promoted = translated(this.#promoted, this.#config).filter(([name]) => !names.has(name))
    return [...promoted, ...own, ...this.#scope, ['__name__', metricName], ...this.#identity]
  }

  /** Of the series that tells the resource's other attributes; `undefined` where there is nothing to tell, or nobody it is of. */
  ofTargetInfo(): Labels | undefined {
    const others = this.#resource.filter(([name]) => !IDENTIFYING.has(name))
    if (others.length === 0 || this.#identity.length === 0) return undefined
    const told = this.#config.keepIdentifyingResourceAttributes ? this.#resource : others
    return labelsFromEntries([...translated(told, this.#config), ['__name__', 'target_info'], ...this.#identity])
  }
}

function identityOf(resource: ReadonlyMap<string, string>): (readonly [string, string])[] {
  const name = resource.get('service.name') ?? ''
  const namespace = resource.get('service.namespace') ?? ''
  const instance = resource.get('service.instance.id') ?? ''
  return [
    ...(name === '' ? [] : [['job', namespace === '' ? name : `${namespace}/${name}`] as const]),
    ...(instance === '' ? [] : [['instance', instance] as const]),
  ]
}

/** Attributes that become the same label share it, in the order of their names. */
function translated(attributes: Attributes, config: OtlpConfig): (readonly [string, string])[] {
  const byLabel = new Map<string, string>()
  for (const [name, value] of [...attributes].sort(([a], [b]) => compareStrings(a, b))) {
    const label = labelNameOf(name, config)
    if (label === '') continue
    const before = byLabel.get(label)
    byLabel.set(label, before === undefined ? value : `${before};${value}`)
  }
  return [...byLabel]
}
