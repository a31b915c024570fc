import { type Labels, labelsKey, METRIC_NAME, projectLabels, type SeriesGrouping } from '../../model/index.ts'
import type { Aggregation } from '../parse/ast.ts'
import { METADATA_LABELS } from './drop-names.ts'

/** Cuts label sets down to those that decide to which group, or to which partner, a series belongs. */
export interface Grouping {
  labelsOf(labels: Labels): Labels
  keyOf(labels: Labels): string
}

/** `by` and `without`, which drops what describes the metric, too. */
export function groupingOf(expr: Aggregation): Grouping {
  let grouping = groupings.get(expr)
  if (grouping === undefined) groupings.set(expr, (grouping = createGrouping(expr.grouping, !expr.without)))
  return grouping
}

const groupings = new WeakMap<Aggregation, Grouping>()

const createGrouping = (names: readonly string[], by: boolean): Grouping =>
  createProjection(by ? names : [...names, ...METADATA_LABELS], by)

/**
 * What a store needs to do the same with the series of a selector, right below the aggregation.
 *
 * @param dropsName whether what describes the metric is taken off the series before they are aggregated: what the expression says
 */
export function storeGroupingOf(expr: Aggregation, dropsName: boolean): SeriesGrouping {
  let grouping = storeGroupings.get(expr)
  if (grouping === undefined) {
    storeGroupings.set(expr, (grouping = storeGrouping(expr.grouping, !expr.without, dropsName)))
  }
  return grouping
}

const storeGroupings = new WeakMap<Aggregation, SeriesGrouping>()

function storeGrouping(names: readonly string[], by: boolean, dropsName: boolean): SeriesGrouping {
  const kept = by ? names.filter((name) => !dropsName || !METADATA_LABELS.has(name)) : [...names, ...METADATA_LABELS]
  const set = new Set(kept)
  return { key: JSON.stringify([by, ...[...set].sort()]), names: set, keep: by }
}

/** `on` and `ignoring`, which always ignores the metric name (but not type and unit, where they are labels). */
export const createMatchGrouping = (names: readonly string[], on: boolean): Grouping =>
  createProjection(on ? names : [...names, METRIC_NAME], on)

function createProjection(names: readonly string[], keep: boolean): Grouping {
  if (keep && names.length === 0) return { labelsOf: () => [], keyOf: () => '' }
  const set = new Set(names)
  const labelsOf = (labels: Labels): Labels => projectLabels(labels, set, keep)
  return { labelsOf, keyOf: (labels) => labelsKey(labelsOf(labels)) }
}
