import type { ValueType } from '../parse/ast.ts'

export interface FunctionSignature {
  readonly name: string
  readonly argTypes: readonly ValueType[]
  /** 0: exactly `argTypes`. Else the last of them may be missing or repeated: at most n times, -1 without limit. */
  readonly variadic: number
  readonly returnType: ValueType
  readonly experimental: boolean
}

const TYPES = { v: 'vector', r: 'matrix', s: 'scalar', t: 'string' } as const

// `name:arguments`, one letter each (v instant vector, r range vector, s scalar, t string), then `?n` or `*` for variadic ones.
const TO_VECTOR = `
  abs:v absent:v absent_over_time:r acos:v acosh:v asin:v asinh:v atan:v atanh:v avg_over_time:r ceil:v changes:r clamp:vss
  clamp_max:vs clamp_min:vs cos:v cosh:v count_over_time:r day_of_month:v?1 day_of_week:v?1 day_of_year:v?1
  days_in_month:v?1 deg:v delta:r deriv:r exp:v first_over_time:r floor:v histogram_avg:v histogram_count:v
  histogram_fraction:ssv histogram_quantile:sv histogram_stddev:v histogram_stdvar:v histogram_sum:v hour:v?1 idelta:r
  increase:r irate:r label_join:vttt* label_replace:vtttt last_over_time:r ln:v log10:v log2:v max_over_time:r
  min_over_time:r minute:v?1 month:v?1 predict_linear:rs present_over_time:r quantile_over_time:sr rad:v rate:r resets:r
  round:vs?1 sgn:v sin:v sinh:v sort:v sort_desc:v sqrt:v stddev_over_time:r stdvar_over_time:r sum_over_time:r tan:v
  tanh:v timestamp:v vector:s year:v?1`
const TO_SCALAR = 'pi: scalar:v time:'
const EXPERIMENTAL_TO_VECTOR = `
  double_exponential_smoothing:rss histogram_quantiles:vtss?9 info:vv?1 mad_over_time:r sort_by_label:vt*
  sort_by_label_desc:vt* start_timestamp:v ts_of_first_over_time:r ts_of_last_over_time:r ts_of_max_over_time:r
  ts_of_min_over_time:r`
const EXPERIMENTAL_TO_SCALAR = 'end: max_of:ss min_of:ss range: start: step:'

function* read(table: string, returnType: ValueType, experimental: boolean): Iterable<[string, FunctionSignature]> {
  for (const entry of table.trim().split(/\s+/)) {
    const [, name, letters, limit] = /^(\w+):([vrst]*)(?:\?(\d)|\*)?$/.exec(entry) as unknown as string[]
    const variadic = entry.endsWith('*') ? -1 : Number(limit ?? 0)
    const argTypes = [...letters!].map((letter) => TYPES[letter as keyof typeof TYPES])
    yield [name!, { name: name!, argTypes, variadic, returnType, experimental }]
  }
}

/** Every function of the language by name. */
export const functionSignatures: ReadonlyMap<string, FunctionSignature> = new Map([
  ...read(TO_VECTOR, 'vector', false),
  ...read(TO_SCALAR, 'scalar', false),
  ...read(EXPERIMENTAL_TO_VECTOR, 'vector', true),
  ...read(EXPERIMENTAL_TO_SCALAR, 'scalar', true),
])
