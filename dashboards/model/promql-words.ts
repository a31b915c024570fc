// PromQL's functions and aggregations in our own short words, for completion; and a rough division into tokens, for colour.

export const PROMQL_FUNCTIONS: Readonly<Record<string, string>> = {
  abs: 'absolute value',
  absent: '1 where there is no series',
  absent_over_time: '1 where the window holds no sample',
  avg: 'mean over series',
  avg_over_time: 'mean of each window',
  bottomk: 'the k smallest series',
  ceil: 'round up',
  changes: 'how often the value changed',
  clamp: 'keep between two limits',
  clamp_max: 'keep below a limit',
  clamp_min: 'keep above a limit',
  count: 'number of series',
  count_over_time: 'samples in each window',
  count_values: 'series by equal value',
  day_of_week: 'weekday, 0 is Sunday',
  delta: 'difference over the window, for gauges',
  deriv: 'slope by linear regression',
  exp: 'exponential',
  floor: 'round down',
  group: '1 for each group',
  histogram_count: 'observations in a native histogram',
  histogram_quantile: 'quantile from buckets',
  histogram_sum: 'sum of a native histogram',
  hour: 'hour of the day, UTC',
  idelta: 'difference of the last two samples',
  increase: 'growth of a counter over the window',
  irate: 'rate by the last two samples',
  label_join: 'join labels into one',
  label_replace: 'write a label by a regular expression',
  last_over_time: 'newest sample of each window',
  ln: 'natural logarithm',
  log10: 'decimal logarithm',
  log2: 'binary logarithm',
  max: 'largest series',
  max_over_time: 'largest of each window',
  min: 'smallest series',
  min_over_time: 'smallest of each window',
  minute: 'minute of the hour, UTC',
  offset: 'look back by a duration',
  predict_linear: 'value in t seconds by regression',
  present_over_time: '1 where the window holds samples',
  quantile: 'quantile over series',
  quantile_over_time: 'quantile of each window',
  rate: 'growth per second of a counter',
  resets: 'how often a counter fell',
  round: 'round to a multiple',
  scalar: 'the value of a single series',
  sgn: 'sign',
  sort: 'ascending by value',
  sort_desc: 'descending by value',
  sqrt: 'square root',
  stddev: 'standard deviation over series',
  stddev_over_time: 'standard deviation of each window',
  sum: 'total over series',
  sum_over_time: 'sum of each window',
  time: 'evaluation time in seconds',
  timestamp: 'time of each sample',
  topk: 'the k largest series',
  vector: 'a scalar as a series without labels',
}

export type TokenKind = 'function' | 'keyword' | 'string' | 'number' | 'comment' | 'label' | 'plain'

const TOKEN =
  /(#[^\n]*)|("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|`[^`]*`?)|(\b\d[\w.]*)|([a-zA-Z_:][\w:]*)(\s*\()?|(\s+|.)/g
const KEYWORD = /^(?:by|without|on|ignoring|group_left|group_right|bool|offset|and|or|unless|atan2|start|end|inf|nan)$/i

/** The text in pieces that join to exactly it. */
export function tokenizePromql(text: string): { kind: TokenKind; text: string }[] {
  const tokens: { kind: TokenKind; text: string }[] = []
  let depth = 0 // Inside braces a name is a label.
  for (const [whole, comment, string, number, word, call] of text.matchAll(TOKEN)) {
    if (comment !== undefined) tokens.push({ kind: 'comment', text: whole })
    else if (string !== undefined) tokens.push({ kind: 'string', text: whole })
    else if (number !== undefined) tokens.push({ kind: 'number', text: whole })
    else if (word !== undefined) {
      const kind = KEYWORD.test(word)
        ? 'keyword'
        : depth > 0
          ? 'label'
          : Object.hasOwn(PROMQL_FUNCTIONS, word)
            ? 'function'
            : 'plain'
      tokens.push({ kind, text: word })
      if (call !== undefined) tokens.push({ kind: 'plain', text: call })
    } else {
      if (whole === '{') depth++
      if (whole === '}') depth--
      tokens.push({ kind: 'plain', text: whole })
    }
  }
  return tokens
}
