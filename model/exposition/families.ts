import { labelValue, METRIC_NAME } from '../labels.ts'
import type { MetricMetadata, MetricType } from '../metadata.ts'
import { parseCommentLine } from './comment-line.ts'
import type { ExpositionFormat, ExpositionSample, MetricFamily } from './format.ts'
import { parseExposition } from './parse.ts'

interface FamilyDraft {
  name: string
  type: MetricType
  help: string
  unit: string
  samples: ExpositionSample[]
}

/**
 * Reads a page into families, in order of first mention. A sample whose name fits no declared family makes one of its own
 * name, type unknown.
 *
 * @throws {ExpositionError}
 */
export function readExposition(body: Uint8Array, format: ExpositionFormat): MetricFamily[] {
  const families = new Map<string, FamilyDraft>()
  const family = (name: string): FamilyDraft => {
    let found = families.get(name)
    if (!found) families.set(name, (found = { name, type: 'unknown', help: '', unit: '', samples: [] }))
    return found
  }
  parseExposition(body, format, {
    metadata: (line) => {
      const draft = family(line.name)
      if (line.kind === 'type') draft.type = line.type
      else draft[line.kind] = line.text
    },
    sample: (sample) => {
      const name = labelValue(sample.labels, METRIC_NAME)
      family(familyName(name, (candidate) => families.get(candidate)?.type, format)).samples.push(sample)
    },
  })
  return [...families.values()]
}

/** TYPE, HELP and UNIT lines of a page that has been accepted before, by family name. */
export function readMetadata(body: Uint8Array, format: ExpositionFormat): Map<string, MetricMetadata> {
  const metadata = new Map<string, { type: MetricType; help: string; unit: string }>()
  for (const text of Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString().split('\n')) {
    if (!/^[ \t]*#/.test(text)) continue
    const line = parseCommentLine(text, format)
    if (line.kind === 'comment' || line.kind === 'eof') continue
    let entry = metadata.get(line.name)
    if (!entry) metadata.set(line.name, (entry = { type: 'unknown', help: '', unit: '' }))
    if (line.kind === 'type') entry.type = line.type
    else entry[line.kind] = line.text
  }
  return metadata
}

const SUFFIXES: Readonly<Partial<Record<MetricType, readonly string[]>>> = {
  histogram: ['_bucket', '_sum', '_count', '_created'],
  gaugehistogram: ['_bucket', '_gsum', '_gcount'],
  summary: ['_sum', '_count', '_created'],
}
const OPENMETRICS_SUFFIXES: Readonly<Partial<Record<MetricType, readonly string[]>>> = {
  ...SUFFIXES,
  counter: ['_total', '_created'],
  info: ['_info'],
}

/** The family a sample of this name belongs to: itself where declared, else the declared family whose suffix it carries. */
function familyName(
  name: string,
  typeOf: (family: string) => MetricType | undefined,
  format: ExpositionFormat,
): string {
  if (typeOf(name) !== undefined) return name
  const underscore = name.lastIndexOf('_')
  if (underscore <= 0) return name
  const base = name.slice(0, underscore)
  const type = typeOf(base)
  const suffixes = type && (format === 'openmetrics' ? OPENMETRICS_SUFFIXES : SUFFIXES)[type]
  return suffixes?.includes(name.slice(underscore)) ? base : name
}
