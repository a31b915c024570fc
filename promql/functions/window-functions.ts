import type { VectorSelector } from '../parse/ast.ts'
import * as counters from './counters.ts'
import { anchoredCount, extendedRate } from './extended-range.ts'
import * as overTime from './over-time.ts'
import * as regression from './regression.ts'
import type { WindowFunction } from './windows.ts'

const PLAIN: Readonly<Record<string, WindowFunction>> = {
  rate: counters.rate,
  increase: counters.increase,
  delta: counters.delta,
  irate: counters.irate,
  idelta: counters.idelta,
  resets: counters.resets,
  changes: counters.changes,
  deriv: regression.deriv,
  predict_linear: regression.predictLinear,
  double_exponential_smoothing: regression.doubleExponentialSmoothing,
  sum_over_time: overTime.sumOverTime,
  avg_over_time: overTime.avgOverTime,
  min_over_time: overTime.minOverTime,
  max_over_time: overTime.maxOverTime,
  count_over_time: overTime.countOverTime,
  present_over_time: overTime.presentOverTime,
  last_over_time: overTime.lastOverTime,
  first_over_time: overTime.firstOverTime,
  stddev_over_time: overTime.stddevOverTime,
  stdvar_over_time: overTime.stdvarOverTime,
  quantile_over_time: overTime.quantileOverTime,
  mad_over_time: overTime.madOverTime,
  ts_of_first_over_time: overTime.tsOfFirstOverTime,
  ts_of_last_over_time: overTime.tsOfLastOverTime,
  ts_of_min_over_time: overTime.tsOfMinOverTime,
  ts_of_max_over_time: overTime.tsOfMaxOverTime,
}

const ANCHORED: Readonly<Record<string, WindowFunction>> = {
  rate: extendedRate('anchored', 'rate'),
  increase: extendedRate('anchored', 'increase'),
  delta: extendedRate('anchored', 'delta'),
  resets: anchoredCount('resets'),
  changes: anchoredCount('changes'),
}

const SMOOTHED: Readonly<Record<string, WindowFunction>> = {
  rate: extendedRate('smoothed', 'rate'),
  increase: extendedRate('smoothed', 'increase'),
  delta: extendedRate('smoothed', 'delta'),
}

/** The function as it applies to a selector with or without `anchored` or `smoothed`; `undefined` if there is none. */
export function windowFunctionOf(name: string, selector?: VectorSelector): WindowFunction | undefined {
  return (selector?.anchored ? ANCHORED : selector?.smoothed ? SMOOTHED : PLAIN)[name]
}

export const isWindowFunction = (name: string): boolean => PLAIN[name] !== undefined

/** Pick a sample as it is, so the series stays what it was. */
export const KEEPS_NAME: ReadonlySet<string> = new Set(['last_over_time', 'first_over_time'])
