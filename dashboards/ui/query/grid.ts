// The steps a graph of the query page is asked at.
import type { QueryPanel } from '../../model/graph-url.ts'
import { alignRange, roundInterval } from '../../model/interval.ts'
import type { Grid } from '../api/prometheus.ts'

const GRAPH_POINTS = 400

export function gridOf({ rangeMs, endMs, stepMs: fixedMs }: QueryPanel): Grid {
  const toMs = endMs ?? Date.now()
  const stepMs = fixedMs ?? Math.max(1000, roundInterval(rangeMs / GRAPH_POINTS))
  return { ...alignRange(toMs - rangeMs, toMs, stepMs), stepMs }
}
