import { AppError } from '../../lib/index.ts'
import {
  compareStrings,
  isLegacyLabelName,
  isLegacyMetricName,
  type Labels,
  labelsFromEntries,
  labelsText,
  labelValue,
  METRIC_NAME,
} from '../../model/index.ts'

/** A limit of the scrape configuration is exceeded, or a name is not allowed: nothing of this scrape is stored. */
export class ScrapeLimitError extends AppError {
  override readonly code = 'ERR_SCRAPE_LIMIT'
}

/** More labels, or longer ones, than allowed. */
export class LabelLimitError extends ScrapeLimitError {}

export interface SeriesLabelRules {
  readonly honorLabels: boolean
  readonly legacyNames: boolean
  /** 0 = none. */
  readonly labelLimit: number
  readonly labelNameLengthLimit: number
  readonly labelValueLengthLimit: number
  /** `metric_relabel_configs`; `undefined` drops the series. */
  readonly relabel: ((labels: Labels) => Labels | undefined) | undefined
}

/**
 * The labels under which a scraped sample is stored: joined with the target's, relabelled, checked.
 *
 * @param emptyLabels names the page gave an empty value: with `honorLabels` they take the target's label away
 * @returns `undefined` when relabelling drops the series, or its name
 * @throws {ScrapeLimitError}
 */
export function seriesLabels(
  scraped: Labels,
  emptyLabels: readonly string[],
  target: Labels,
  rules: SeriesLabelRules,
): Labels | undefined {
  const joined =
    (emptyLabels.length === 0 ? mergeDisjoint(scraped, target) : undefined) ??
    (rules.honorLabels ? honorLabels(scraped, emptyLabels, target) : renameCollisions(scraped, target))
  const labels = rules.relabel ? rules.relabel(joined) : joined
  if (labels === undefined || labelValue(labels, METRIC_NAME) === '') return undefined
  check(labels, rules)
  return labels
}

/** What must be laid over the target's labels to get `labels`; an empty value takes a label away. Both lists are sorted. */
export function labelsOverTarget(labels: Labels, target: Labels): Labels {
  const over: string[] = []
  let i = 0
  let j = 0
  while (i < labels.length || j < target.length) {
    const order = i >= labels.length ? 1 : j >= target.length ? -1 : compareStrings(labels[i]!, target[j]!)
    if (order > 0) over.push(target[j]!, '')
    else if (order < 0 || labels[i + 1] !== target[j + 1]) over.push(labels[i]!, labels[i + 1]!)
    if (order <= 0) i += 2
    if (order >= 0) j += 2
  }
  return over
}

/** Both lists in one, `undefined` when they have a name in common. */
function mergeDisjoint(scraped: Labels, target: Labels): Labels | undefined {
  const merged: string[] = []
  let j = 0
  for (let i = 0; i < scraped.length; i += 2) {
    const name = scraped[i]!
    while (j < target.length) {
      const order = compareStrings(target[j]!, name)
      if (order === 0) return undefined
      if (order > 0) break
      merged.push(target[j]!, target[j + 1]!)
      j += 2
    }
    merged.push(name, scraped[i + 1]!)
  }
  for (; j < target.length; j++) merged.push(target[j]!)
  return merged
}

function honorLabels(scraped: Labels, emptyLabels: readonly string[], target: Labels): Labels {
  const entries = new Map<string, string>()
  for (let i = 0; i < target.length; i += 2) entries.set(target[i]!, target[i + 1]!)
  for (const name of emptyLabels) entries.delete(name)
  for (let i = 0; i < scraped.length; i += 2) entries.set(scraped[i]!, scraped[i + 1]!)
  return labelsFromEntries(entries)
}

function renameCollisions(scraped: Labels, target: Labels): Labels {
  const entries = new Map<string, string>()
  for (let i = 0; i < scraped.length; i += 2) entries.set(scraped[i]!, scraped[i + 1]!)
  const collisions: [string, string][] = []
  for (let i = 0; i < target.length; i += 2) {
    const scrapedValue = entries.get(target[i]!)
    if (scrapedValue !== undefined) collisions.push([target[i]!, scrapedValue])
    entries.set(target[i]!, target[i + 1]!)
  }
  // Shortest first: only so `a` cannot take the place of a longer `exported_a` that collides as well.
  collisions.sort((a, b) => a[0].length - b[0].length)
  for (const [name, value] of collisions) {
    let free = `exported_${name}`
    while (entries.has(free)) free = `exported_${free}`
    entries.set(free, value)
  }
  return labelsFromEntries(entries)
}

function check(labels: Labels, rules: SeriesLabelRules): void {
  const name = (): string => labelValue(labels, METRIC_NAME).slice(0, 50)
  const count = labels.length / 2
  if (rules.labelLimit > 0 && count > rules.labelLimit) {
    throw new LabelLimitError(
      `label_limit exceeded (metric: ${name()}, number of labels: ${count}, limit: ${rules.labelLimit})`,
    )
  }
  for (let i = 0; i < labels.length; i += 2) {
    const label = labels[i]!
    const value = labels[i + 1]!
    if (rules.labelNameLengthLimit > 0 && Buffer.byteLength(label) > rules.labelNameLengthLimit) {
      throw new LabelLimitError(
        `label_name_length_limit exceeded (metric: ${name()}, label name: ${label.slice(0, 50)}, limit: ${rules.labelNameLengthLimit})`,
      )
    }
    if (rules.labelValueLengthLimit > 0 && Buffer.byteLength(value) > rules.labelValueLengthLimit) {
      throw new LabelLimitError(
        `label_value_length_limit exceeded (metric: ${name()}, label name: ${label}, limit: ${rules.labelValueLengthLimit})`,
      )
    }
    const allowed = !rules.legacyNames || (label === METRIC_NAME ? isLegacyMetricName(value) : isLegacyLabelName(label))
    if (!allowed) throw new ScrapeLimitError(`invalid metric name or label names: ${labelsText(labels)}`)
  }
}
