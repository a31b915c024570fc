import { compareStrings, labelsKey } from '../model/index.ts'
import type { PushedFamily, PushedLabels } from './family.ts'
import type { GroupLabels } from './group-path.ts'

export const PUSH_TIME = 'push_time_seconds'
export const PUSH_FAILURE_TIME = 'push_failure_time_seconds'

const INSTANCE = 'instance'

/** What a group shows of itself on each series: its labels, and an `instance` if it has none. */
export function exposedLabels(labels: GroupLabels): PushedLabels {
  const pairs = Object.entries({ [INSTANCE]: '', ...labels })
  return pairs.sort(([a], [b]) => compareStrings(a, b)).flat()
}

/** Equal for groups that show the same labels. */
export const groupKeyOf = (exposed: PushedLabels): string => labelsKey(exposed)

/**
 * The families as they are exposed: the group's labels overwrite equal ones of the body, every metric has an `instance`,
 * and the two times are the gateway's to set.
 */
export function adoptFamilies(families: readonly PushedFamily[], labels: GroupLabels): PushedFamily[] {
  const overlay = exposedLabels(labels)
  // An instance in the body wins over the one that is only filled in.
  const bare = INSTANCE in labels ? overlay : overlay.filter((_, i) => overlay[i - (i % 2)] !== INSTANCE)
  return families
    .filter(({ name }) => name !== PUSH_TIME && name !== PUSH_FAILURE_TIME)
    .map((family) => ({
      ...family,
      metrics: family.metrics.map((metric) => {
        const hasInstance = metric.labels.some((text, i) => i % 2 === 0 && text === INSTANCE)
        return { ...metric, labels: mergeLabels(metric.labels, hasInstance ? bare : overlay) }
      }),
    }))
}

/** Two sorted lists as one; of a label that both have, `overlay` has the value. */
function mergeLabels(base: PushedLabels, overlay: PushedLabels): PushedLabels {
  if (base.length === 0) return overlay
  const merged: string[] = []
  let at = 0
  for (let i = 0; i < base.length; i += 2) {
    const name = base[i]!
    while (at < overlay.length && compareStrings(overlay[at]!, name) < 0) {
      merged.push(overlay[at]!, overlay[at + 1]!)
      at += 2
    }
    if (overlay[at] !== name) merged.push(name, base[i + 1]!)
  }
  for (; at < overlay.length; at++) merged.push(overlay[at]!)
  return merged
}
