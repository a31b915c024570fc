import { sanitizeName } from '../discovery/meta-labels.ts'
import type { LabelSelector, Relabeling } from './objects.ts'
import { type FilePart, present } from './settings.ts'

/** The job's name is kept for relabelling rules that ask for it. */
export const KEEP_JOB_NAME: FilePart = { source_labels: ['job'], target_label: '__tmp_prometheus_job_name' }

/** Pods that have run to their end are no targets. */
export const DROP_FINISHED_PODS: FilePart = {
  action: 'drop',
  source_labels: ['__meta_kubernetes_pod_phase'],
  regex: '(Failed|Succeeded)',
}

/** Keeps the objects that a selector chooses. @param what `service`, `pod` or `ingress` */
export function selectorRules(selector: LabelSelector | undefined, what: string): FilePart[] {
  const label = (key: string): string => `__meta_kubernetes_${what}_label_${sanitizeName(key)}`
  const isThere = (key: string): string => `__meta_kubernetes_${what}_labelpresent_${sanitizeName(key)}`
  const ofValues = (action: string, key: string, values: readonly string[]): FilePart => ({
    action,
    source_labels: [label(key), isThere(key)],
    regex: `(${values.join('|')});true`,
  })
  const ofPresence = (action: string, key: string): FilePart => ({
    action,
    source_labels: [isThere(key)],
    regex: 'true',
  })
  const equal = Object.entries(selector?.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return [
    ...equal.map(([key, value]) => ofValues('keep', key, [value])),
    ...(selector?.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
      switch (operator) {
        case 'In':
          return ofValues('keep', key, values)
        case 'NotIn':
          return ofValues('drop', key, values)
        case 'Exists':
          return ofPresence('keep', key)
        case 'DoesNotExist':
          return ofPresence('drop', key)
      }
    }),
  ]
}

/** The selector as the API takes it, for objects that the server itself shall leave out. */
export function selectorText(selector: LabelSelector | undefined): string {
  const parts = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`)
  for (const { key, operator, values = [] } of selector?.matchExpressions ?? []) {
    if (operator === 'In') parts.push(`${key} in (${values.join(',')})`)
    else if (operator === 'NotIn') parts.push(`${key} notin (${values.join(',')})`)
    else parts.push(operator === 'Exists' ? key : `!${key}`)
  }
  return parts.join(',')
}

/** A label of a Kubernetes object becomes one of the target, where it has it. */
export const copyLabel = (what: string, name: string, target = sanitizeName(name)): FilePart => ({
  source_labels: [`__meta_kubernetes_${what}_label_${sanitizeName(name)}`],
  target_label: target,
  regex: '(.+)',
  replacement: '${1}',
})

export const keepMatching = (source: string, regex: string): FilePart => ({
  action: 'keep',
  source_labels: [source],
  regex,
})

export const fromLabel = (source: string, target: string): FilePart => ({
  source_labels: [source],
  target_label: target,
})

export const constant = (target: string, replacement: string): FilePart => ({ target_label: target, replacement })

/** Rules as the objects have them. */
export const ownRules = (rules: readonly Relabeling[] | undefined): FilePart[] =>
  (rules ?? []).map((rule) =>
    present({
      source_labels: rule.sourceLabels?.length ? rule.sourceLabels : undefined,
      separator: rule.separator,
      target_label: rule.targetLabel || undefined,
      regex: rule.regex || undefined,
      modulus: rule.modulus || undefined,
      replacement: rule.replacement,
      action: rule.action?.toLowerCase() || undefined,
    }),
  )
