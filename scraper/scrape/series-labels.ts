import { AppError } from '../../lib/index.ts'
import {
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
  const joined = rules.honorLabels ? honorLabels(scraped, emptyLabels, target) : renameCollisions(scraped, target)
  const labels = rules.relabel ? rules.relabel(joined) : joined
  if (labels === undefined || labelValue(labels, METRIC_NAME) === '') return undefined
  check(labels, rules)
  return labels
}

/** What must be laid over the target's labels to get `labels`; an empty value takes a label away. Sorted as both are. */
export function labelsOverTarget(labels: Labels, target: Labels): Labels {
  const entries: [string, string][] = []
  for (let i = 0; i < labels.length; i += 2) {
    if (labelValue(target, labels[i]!) !== labels[i + 1]) entries.push([labels[i]!, labels[i + 1]!])
  }
  for (let i = 0; i < target.length; i += 2) {
    if (labelValue(labels, target[i]!) === '') entries.push([target[i]!, ''])
  }
  return entries.flat()
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
    throw new ScrapeLimitError(
      `label_limit exceeded (metric: ${name()}, number of labels: ${count}, limit: ${rules.labelLimit})`,
    )
  }
  for (let i = 0; i < labels.length; i += 2) {
    const label = labels[i]!
    const value = labels[i + 1]!
    if (rules.labelNameLengthLimit > 0 && Buffer.byteLength(label) > rules.labelNameLengthLimit) {
      throw new ScrapeLimitError(
        `label_name_length_limit exceeded (metric: ${name()}, label name: ${label.slice(0, 50)}, limit: ${rules.labelNameLengthLimit})`,
      )
    }
    if (rules.labelValueLengthLimit > 0 && Buffer.byteLength(value) > rules.labelValueLengthLimit) {
      throw new ScrapeLimitError(
        `label_value_length_limit exceeded (metric: ${name()}, label name: ${label}, limit: ${rules.labelValueLengthLimit})`,
      )
    }
    const allowed = !rules.legacyNames || (label === METRIC_NAME ? isLegacyMetricName(value) : isLegacyLabelName(label))
    if (!allowed) throw new ScrapeLimitError(`invalid metric name or label names: ${labelsText(labels)}`)
  }
}
