// What several of the old panels have in common.
import { type Json, objectOf, numberOf } from './json.ts'

export function colorOverrides(aliasColors: unknown): Json[] {
  return Object.entries(objectOf(aliasColors)).map(([name, color]) => ({
    matcher: { id: 'byName', options: name },
    properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: color } }],
  }))
}

/** Names of reducers, from those of the first panels. */
export const STAT_OF: Readonly<Record<string, string>> = {
  avg: 'mean',
  current: 'lastNotNull',
  total: 'sum',
  first: 'first',
  min: 'min',
  max: 'max',
  delta: 'delta',
  diff: 'diff',
  range: 'range',
  last_time: 'lastNotNull',
}

/** `"80,90"` with three colours, as first panels wrote thresholds, in steps. */
export function stepsOf(limits: unknown, colors: unknown, baseColor = 'green'): Json {
  const values = (Array.isArray(limits) ? limits : String(limits ?? '').split(','))
    .map(numberOf)
    .filter((one) => one !== undefined)
  const named = Array.isArray(colors) ? colors : []
  const fallback = ['green', 'orange', 'red']
  return {
    mode: 'absolute',
    steps: [
      { value: null, color: named[0] ?? baseColor },
      ...values.map((value, i) => ({ value, color: named[i + 1] ?? fallback[Math.min(i + 1, 2)] })),
    ],
  }
}
