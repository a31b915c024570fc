// One value out of a column, by Grafana's names.
import type { Cell } from './data-frame.ts'

export const REDUCER_NAMES: Readonly<Record<string, string>> = {
  lastNotNull: 'Last *',
  last: 'Last',
  firstNotNull: 'First *',
  first: 'First',
  min: 'Min',
  max: 'Max',
  mean: 'Mean',
  median: 'Median',
  sum: 'Total',
  count: 'Count',
  range: 'Range',
  delta: 'Delta',
  step: 'Step',
  diff: 'Difference',
  diffperc: 'Difference percent',
  logmin: 'Min (above zero)',
  allIsZero: 'All zeros',
  allIsNull: 'All nulls',
  changeCount: 'Change count',
  distinctCount: 'Distinct count',
  variance: 'Variance',
  stdDev: 'StdDev',
  allValues: 'All values',
  uniqueValues: 'All unique values',
}

/** What reducers used to be called. */
const ALIASES: Readonly<Record<string, string>> = {
  current: 'lastNotNull',
  avg: 'mean',
  total: 'sum',
  'last *': 'lastNotNull',
  average: 'mean',
}

export function reducerName(id: string): string {
  return REDUCER_NAMES[ALIASES[id] ?? id] ?? (/^p\d/.test(id) ? `${id.slice(1)}th %` : id)
}

/** NaN (or `null` for texts) where there is nothing to reduce. Missing values are left out, except by `last` and `first`. */
export function reduceValues(values: ArrayLike<Cell>, id: string): Cell {
  const wanted = ALIASES[id] ?? id
  const count = values.length
  if (wanted === 'last') return count === 0 ? null : (values[count - 1] ?? null)
  if (wanted === 'first') return count === 0 ? null : (values[0] ?? null)
  if (wanted === 'lastNotNull' || wanted === 'firstNotNull') return endValue(values, wanted === 'lastNotNull')
  if (wanted === 'distinctCount') return new Set(present(values)).size
  if (wanted === 'changeCount') return changes(values)
  if (wanted === 'allValues') return present(values).join(', ')
  if (wanted === 'uniqueValues') return [...new Set(present(values))].join(', ')
  const numbers = present(values)
    .map(Number)
    .filter((one) => !Number.isNaN(one))
  if (wanted === 'count') return present(values).length
  if (wanted === 'allIsNull') return numbers.length === 0
  if (wanted === 'allIsZero') return numbers.length > 0 && numbers.every((one) => one === 0)
  return numbers.length === 0 ? Number.NaN : reduceNumbers(numbers, wanted)
}

function endValue(values: ArrayLike<Cell>, fromEnd: boolean): Cell {
  for (let i = 0; i < values.length; i++) {
    const value = values[fromEnd ? values.length - 1 - i : i]!
    if (value !== null && !(typeof value === 'number' && Number.isNaN(value))) return value
  }
  return null
}

function present(values: ArrayLike<Cell>): Cell[] {
  return Array.from(values).filter((one) => one !== null && !(typeof one === 'number' && Number.isNaN(one)))
}

function changes(values: ArrayLike<Cell>): number {
  const all = present(values)
  return all.filter((one, i) => i > 0 && one !== all[i - 1]).length
}

function reduceNumbers(numbers: readonly number[], id: string): number {
  const sum = numbers.reduce((total, one) => total + one, 0)
  const mean = sum / numbers.length
  const first = numbers[0]!
  const last = numbers.at(-1)!
  switch (id) {
    case 'min':
      return extreme(numbers, -1)
    case 'max':
      return extreme(numbers, 1)
    case 'mean':
      return mean
    case 'sum':
      return sum
    case 'median':
      return percentile(numbers, 50)
    case 'range':
      return extreme(numbers, 1) - extreme(numbers, -1)
    case 'diff':
      return last - first
    case 'diffperc':
      return first === 0 ? Number.NaN : (last - first) / first
    case 'delta':
      // A counter that starts again counts from zero.
      return numbers.reduce(
        (total, one, i) => (i === 0 ? 0 : total + (one >= numbers[i - 1]! ? one - numbers[i - 1]! : one)),
        0,
      )
    case 'step':
      return numbers.reduce(
        (least, one, i) => (i === 0 ? least : Math.min(least, one - numbers[i - 1]!)),
        Number.POSITIVE_INFINITY,
      )
    case 'logmin':
      return numbers.filter((one) => one > 0).reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY)
    case 'variance':
      return numbers.reduce((total, one) => total + (one - mean) ** 2, 0) / numbers.length
    case 'stdDev':
      return Math.sqrt(numbers.reduce((total, one) => total + (one - mean) ** 2, 0) / numbers.length)
    default: {
      const rank = /^p(\d+(?:\.\d+)?)$/.exec(id)
      return rank === null ? last : percentile(numbers, Number(rank[1]))
    }
  }
}

function extreme(numbers: readonly number[], sign: 1 | -1): number {
  let found = numbers[0]!
  for (const one of numbers) if ((one - found) * sign > 0) found = one
  return found
}

function percentile(numbers: readonly number[], rank: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const place = ((sorted.length - 1) * rank) / 100
  const low = Math.floor(place)
  const high = Math.min(sorted.length - 1, low + 1)
  return sorted[low]! + (sorted[high]! - sorted[low]!) * (place - low)
}
