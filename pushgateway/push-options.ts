import { DurationError, parseDuration } from '../model/index.ts'
import { GAUGE_MODES, type GaugeMode } from './aggregate.ts'
import { PushOptionError } from './errors.ts'

/** What a sender may ask for beyond the original. */
export interface PushOptions {
  /** The group goes so long after its last push; 0: never. `undefined`: not said. */
  readonly ttlMs: number | undefined
  /** Add to what the group has, gauges in this way. `undefined`: replace. */
  readonly aggregate: GaugeMode | undefined
}

/**
 * Reads `?ttl=10m` and `?aggregate=last|sum|max|min`, or the headers `X-Metrics-TTL` and `X-Metrics-Aggregate`; a parameter
 * wins over its header.
 *
 * @throws {PushOptionError}
 */
export function readPushOptions(
  parameters: URLSearchParams,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): PushOptions {
  const text = (parameter: string, header: string): string | undefined => {
    const value = parameters.get(parameter) ?? headers[header]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const ttl = text('ttl', 'x-metrics-ttl')
  const aggregate = text('aggregate', 'x-metrics-aggregate')
  return {
    ttlMs: ttl === undefined ? undefined : durationOf(ttl),
    aggregate: aggregate === undefined ? undefined : gaugeModeOf(aggregate),
  }
}

function durationOf(text: string): number {
  try {
    return text === '0' ? 0 : parseDuration(text)
  } catch (error) {
    if (error instanceof DurationError)
      throw new PushOptionError(`bad time to live: ${error.message}`, { cause: error })
    throw error
  }
}

function gaugeModeOf(text: string): GaugeMode {
  const mode = GAUGE_MODES.find((known) => known === text)
  if (mode === undefined)
    throw new PushOptionError(`unknown way to aggregate gauges ${JSON.stringify(text)}: ${GAUGE_MODES.join(', ')}`)
  return mode
}
