// Finds out from metric and label names what can be shown of a job: request rate, errors and durations; host resources.

export interface MetricMetadata {
  readonly type: string
  readonly help: string
  readonly unit?: string
}

/** A request-duration histogram of a job, with the labels that carry status and route. */
export interface RedSource {
  readonly job: string
  /** Family name, without `_bucket`, `_count` and `_sum`. */
  readonly family: string
  readonly native: boolean
  /** Unit of the observed durations. */
  readonly unit: 's' | 'ms'
  readonly statusLabel?: string
  readonly routeLabel?: string
  readonly methodLabel?: string
}

const STATUS_LABELS = ['status_code', 'code', 'status', 'http_status_code', 'http_response_status_code']
const ROUTE_LABELS = ['route', 'path', 'handler', 'uri', 'http_route', 'endpoint']
const METHOD_LABELS = ['method', 'http_method', 'http_request_method', 'verb']
const DURATION_FAMILY = /(?:^|_)requests?_(?:duration|latency)_(seconds|milliseconds|ms)$/

/**
 * Families that measure how long requests take, best first: plain server names before prefixed ones, then by name.
 *
 * @param metadata as `/api/v1/metadata` knows it; families unknown there are taken by their `_bucket` series
 */
export function durationFamilies(
  metricNames: ReadonlySet<string>,
  metadata: Readonly<Record<string, readonly MetricMetadata[]>>,
): { family: string; native: boolean; unit: 's' | 'ms' }[] {
  const families = new Map<string, { family: string; native: boolean; unit: 's' | 'ms' }>()
  for (const name of metricNames) {
    const classic = name.endsWith('_bucket')
    const family = classic ? name.slice(0, -'_bucket'.length) : name
    const unit = DURATION_FAMILY.exec(family)?.[1]
    if (unit === undefined || families.get(family)?.native === false) continue
    const native = !classic && metadata[family]?.some(({ type }) => type === 'histogram') === true
    if (classic || native) families.set(family, { family, native, unit: unit === 'seconds' ? 's' : 'ms' })
  }
  return [...families.values()].sort(
    (a, b) => familyRank(a.family) - familyRank(b.family) || (a.family < b.family ? -1 : 1),
  )
}

/** Picks the label that carries each aspect, from the names the family really has. */
export function recogniseRed(
  job: string,
  family: { family: string; native: boolean; unit: 's' | 'ms' },
  labelNames: ReadonlySet<string>,
): RedSource {
  const pick = (candidates: readonly string[]) => candidates.find((name) => labelNames.has(name))
  const statusLabel = pick(STATUS_LABELS)
  const routeLabel = pick(ROUTE_LABELS)
  const methodLabel = pick(METHOD_LABELS)
  return {
    job,
    ...family,
    ...(statusLabel === undefined ? {} : { statusLabel }),
    ...(routeLabel === undefined ? {} : { routeLabel }),
    ...(methodLabel === undefined ? {} : { methodLabel }),
  }
}

function familyRank(family: string): number {
  if (family.startsWith('http_request')) return 0
  return family.startsWith('http_server') ? 1 : 2
}
