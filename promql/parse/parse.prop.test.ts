import { parser as lezer } from '@prometheus-io/lezer-promql'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ALL_FEATURES, astJson, ParseError, parseExpr, prettyExpr, printExpr } from '../index.ts'

const LABELS = fc.constantFrom('job', 'le', 'by', 'bool', 'offset', '"a.b"', '"é"')
const names = fc.constantFrom('up', 'x:rate5m', 'start', 'http_requests_total')
const labelList = fc.array(LABELS, { maxLength: 3 }).map((labels) => `(${labels.join(', ')})`)
const value = fc.constantFrom('"a"', "'b.*'", '`c|d`', '"\\"\\n\\x41\\u00e9"', '".+"', '""')
const matcher = fc.tuple(LABELS, fc.constantFrom('=', '!=', '=~', '!~'), value).map((parts) => parts.join(''))
const duration = fc.constantFrom('5m', '1h30m', '1d', '90', '0.5', '250ms', '1y2w')
const arithmetic = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    duration,
    fc.constantFrom('step()', 'range()'),
    fc.tuple(tie('any'), fc.constantFrom('+', '-', '*', '/', '%', '^'), tie('any')).map((parts) => parts.join(' ')),
    fc.tuple(tie('any'), tie('any')).map(([a, b]) => `min_of(${a}, ${b})`),
    tie('any').map((inner) => `(${inner})`),
    tie('any').map((inner) => `-(${inner})`),
  ),
})).any
// The first number comes first: Prometheus' lexer wants one before a colon.
const range = fc.oneof(
  duration,
  fc.tuple(duration, arithmetic).map(([a, b]) => `${a} + ${b}`),
)
const offset = fc.oneof(
  fc.constant(''),
  duration.map((d) => ` offset ${d}`),
  arithmetic.map((d) => ` offset (${d})`),
)
const at = fc.constantFrom('', ' @ 1.5', ' @ -10', ' @ start()', ' @ end()')
const suffix = fc.oneof(
  fc.tuple(at, offset).map(([a, b]) => a + b),
  fc.tuple(offset, at).map(([a, b]) => a + b),
)
const braces = fc.array(matcher, { maxLength: 3 }).map((matchers) => `{${matchers.join(', ')}}`)
const selector = fc.oneof(
  names,
  fc.tuple(names, braces).map((parts) => parts.join('')),
  matcher.map((m) => `{"quoted name", ${m}}`),
)
const matching = fc.oneof(
  fc.constant(''),
  fc
    .tuple(
      fc.constantFrom('on', 'ignoring'),
      fc.constantFrom('(job)', '()', '(job, "a.b")'),
      fc.constantFrom('', ' group_right (le)', ' group_left ()'),
      fc.constantFrom('', ' fill (0)', ' fill_left(-1.5e300)', ' fill_right (1) fill_left (2)'),
    )
    .map(([clause, labels, group, fill]) => ` ${clause} ${labels}${group}${fill}`),
)

const { vector, scalar } = fc.letrec<{ vector: string; scalar: string; matrix: string }>((tie) => ({
  scalar: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('1', '-1', '0x1f', '1e-9', '5m', '(Inf)', 'NaN', 'time()', '.5', '010'),
    tie('vector').map((v) => `scalar(${v})`),
    fc.tuple(tie('scalar'), fc.constantFrom('+', '^', '% ', '== bool'), tie('scalar')).map((parts) => parts.join(' ')),
    tie('scalar').map((s) => `-(${s})`),
  ),
  matrix: fc.oneof(
    { maxDepth: 4 },
    fc.tuple(selector, range, suffix).map(([s, r, tail]) => `${s}[${r}]${tail}`),
    fc.tuple(selector, range).map(([s, r]) => `${s}[${r}] anchored`),
    fc
      .tuple(tie('vector'), range, fc.oneof(fc.constant(''), range), suffix)
      .map(([v, r, s, tail]) => `(${v})[${r}:${s}]${tail}`),
  ),
  vector: fc.oneof(
    { maxDepth: 5 },
    // Arithmetic would go on behind `offset (…)`, hence the parentheses around it all.
    fc.tuple(selector, suffix).map(([s, tail]) => (tail.includes('(') ? `(${s}${tail})` : s + tail)),
    tie('matrix').map((m) => `rate(${m})`),
    fc.tuple(tie('scalar'), tie('matrix')).map(([s, m]) => `quantile_over_time(${s}, ${m})`),
    tie('vector').map((v) => `label_replace(${v}, "a", "$1", 'b', \`(.*)\`)`),
    fc
      .tuple(fc.constantFrom('sum', 'count', 'AVG'), fc.constantFrom('by', 'without'), labelList, tie('vector'))
      .map(([op, by, labels, v]) => `${op} ${by} ${labels} (${v})`),
    fc.tuple(tie('scalar'), tie('vector'), labelList).map(([s, v, labels]) => `topk(${s}, ${v}) by ${labels}`),
    fc
      .tuple(tie('vector'), fc.constantFrom('+', '*', '^', 'atan2', '> bool', '</'), matching, tie('vector'))
      .map(([l, op, m, r]) => `${l} ${op}${m} ${r}`),
    fc.tuple(tie('vector'), fc.constantFrom('and', 'OR', 'unless'), tie('vector')).map((parts) => parts.join(' ')),
    fc.tuple(tie('scalar'), fc.constantFrom('-', '=='), tie('vector')).map((parts) => parts.join(' ')),
    tie('vector').map((v) => `-${v}`),
    tie('vector').map((v) => `(${v})`),
  ),
}))
const expression = fc.oneof(vector, scalar)

function lezerAccepts(text: string): boolean {
  let ok = true
  lezer.parse(text).iterate({
    enter: (node) => {
      if (node.type.isError) ok = false
    },
  })
  return ok
}

/** The message, '' for none. */
function faultOf(text: string): string {
  try {
    parseExpr(text, ALL_FEATURES)
    return ''
  } catch (error) {
    if (error instanceof ParseError) return error.message
    throw error
  }
}

/** The tree as text, without the order of matchers, which printing sorts. */
const treeOf = (text: string): string =>
  JSON.stringify(astJson(parseExpr(text, ALL_FEATURES)), (key, field: unknown) =>
    key === 'matchers' ? (field as unknown[]).map((matcher) => JSON.stringify(matcher)).sort() : field,
  )

test('well-formed expressions parse, print stably and agree with lezer', () => {
  fc.assert(
    fc.property(expression, (text) => {
      // Without parentheses, pieces that fit may join to something that does not.
      fc.pre(
        !/comparisons between scalars|only allowed between instant|not allowed in binary scalar/.test(faultOf(text)),
      )
      const printed = printExpr(parseExpr(text, ALL_FEATURES))
      const again = parseExpr(printed, ALL_FEATURES)
      expect(printExpr(again)).toBe(printed)
      expect(treeOf(printed)).toBe(treeOf(text))
      expect(printExpr(parseExpr(prettyExpr(again), ALL_FEATURES))).toBe(printed)
      expect(lezerAccepts(text), text).toBe(true)
    }),
    { numRuns: 2000 },
  )
})

// Lezer knows no types, arities or names, so it accepts more; what it refuses must be refused here, but for these.
const LEZER_REFUSES_WRONGLY: readonly RegExp[] = [
  /\d\.(?!\d)/, // `1.` is a number.
  /\b(?:min_of|max_of)\b/i, // Plain functions outside of durations, metric names elsewhere.
  /\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*:/i, // Names with a colon in lists of labels.
  /\b(?:STEP|RANGE)\b/i, // In any case, and metric names.
  /\boffset\s*@/i, // A metric of that name.
]

test('what lezer refuses is refused, however an expression is damaged', () => {
  const damage = fc.array(
    fc.tuple(
      fc.nat(),
      fc.constantFrom('', ' ', '(', ')', ',', '[', ']', '{', '}', '=', '"', 'x', '5', '@', ' by ', ':', '-', '^', '~'),
    ),
    { minLength: 1, maxLength: 3 },
  )
  let refused = 0
  fc.assert(
    fc.property(expression, damage, (text, changes) => {
      let broken = text
      for (const [at, piece] of changes) {
        const i = at % (broken.length + 1)
        broken = broken.slice(0, i) + piece + broken.slice(piece === '' ? i + 1 : i)
      }
      if (LEZER_REFUSES_WRONGLY.some((exception) => exception.test(broken))) return
      const accepted = lezerAccepts(broken)
      if (!accepted) refused++
      if (!accepted) expect(faultOf(broken), broken).not.toBe('')
    }),
    { numRuns: 3000 },
  )
  expect(refused).toBeGreaterThan(100)
})

test('no text makes the parser throw anything but its own error', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (text) => {
      faultOf(text)
    }),
    { numRuns: 2000 },
  )
})
