import { labelsFromRecord } from '../../model/index.ts'
import type { TargetGroup } from './discovery.ts'

export type MetaLabels = Record<string, string>

/** A name as part of a label name: whatever is not allowed there becomes an underscore. */
export const sanitizeName = (name: string): string => name.replace(/[^a-zA-Z0-9_]/gu, '_')

/** Each entry of a map under `prefix` and its sanitized name. */
export function mappedLabels(prefix: string, map: Readonly<Record<string, unknown>> | null | undefined): MetaLabels {
  const labels: MetaLabels = {}
  for (const [name, value] of Object.entries(map ?? {})) labels[`${prefix}${sanitizeName(name)}`] = text(value)
  return labels
}

/** `host:port`, IPv6 addresses in brackets. */
export const hostPort = (host: string, port: number | string): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/** A field of an answer as text; what is not there is ''. */
export const text = (value: unknown): string =>
  value === undefined || value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)

/** Labels of each target, over those of the group. */
export function groupOf(source: string, targets: readonly MetaLabels[], common: MetaLabels = {}): TargetGroup {
  return { source, targets: targets.map((target) => labelsFromRecord({ ...common, ...target })) }
}
