import { type Labels, labelsKey, METRIC_NAME, projectLabels } from '../../model/labels.ts'

/** Cuts label sets down to those that decide to which group, or to which partner, a series belongs. */
export interface Grouping {
  labelsOf(labels: Labels): Labels
  keyOf(labels: Labels): string
}

/**
 * @param keep keep only the named labels (`by`, `on`); otherwise drop them and the metric name (`without`, `ignoring`)
 */
export function createGrouping(names: readonly string[], keep: boolean): Grouping {
  if (keep && names.length === 0) return { labelsOf: () => [], keyOf: () => '' }
  const set = new Set(keep ? names : [...names, METRIC_NAME])
  const labelsOf = (labels: Labels): Labels => projectLabels(labels, set, keep)
  return { labelsOf, keyOf: (labels) => labelsKey(labelsOf(labels)) }
}
