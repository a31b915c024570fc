import { expect, test } from 'vitest'
import { ALL_FEATURES, ParseError, parseExpr, parseSelector } from '../index.ts'

// What Prometheus 2.42 answers to each of these; the texts and positions have not changed since.
const SINCE_PROMETHEUS_2: readonly (readonly [query: string, message: string])[] = [
  ['foo(', '1:5: parse error: unclosed left parenthesis'],
  ['sum(foo bar)', '1:9: parse error: unexpected identifier "bar" in aggregation'],
  ['sum 5', '1:5: parse error: unexpected number "5"'],
  ['sum foo', '1:5: parse error: unexpected identifier "foo"'],
  ['sum by', '1:7: parse error: unexpected end of input in grouping opts, expected "("'],
  ['sum by foo', '1:8: parse error: unexpected identifier "foo" in grouping opts, expected "("'],
  ['sum by (', '1:9: parse error: unclosed left parenthesis'],
  ['sum by (a b) (x)', '1:11: parse error: unexpected identifier "b" in grouping opts, expected "," or ")"'],
  ['sum by (a,,b) (x)', '1:11: parse error: unexpected "," in grouping opts, expected label'],
  ['sum by (5) (x)', '1:9: parse error: unexpected number "5" in grouping opts, expected label'],
  ['sum by (a) foo', '1:12: parse error: unexpected identifier "foo" in aggregation'],
  ['sum()', '1:1: parse error: no arguments for aggregate expression provided'],
  ['sum(a,b)', '1:1: parse error: wrong number of arguments for aggregate expression provided, expected 1, got 2'],
  ['topk(a)', '1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1'],
  ['topk(a,b,c)', '1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 3'],
  ['sum(a,)', '1:6: parse error: trailing commas not allowed in function call args'],
  ['rate(a,)', '1:7: parse error: trailing commas not allowed in function call args'],
  ['rate(foo[5m],)', '1:13: parse error: trailing commas not allowed in function call args'],
  ['rate(foo)', '1:6: parse error: expected type range vector in call to function "rate", got instant vector'],
  ['rate(foo[5m', '1:12: parse error: unclosed left parenthesis'],
  ['rate(foo[5m)', '1:12: parse error: unexpected ")" in subquery or range, expected ":" or "]"'],
  ['foo[5m:', '1:8: parse error: unclosed left bracket'],
  ['foo[5m:)', "1:9: parse error: unexpected right parenthesis ')'"],
  ['foo[5m:1m', '1:10: parse error: unclosed left bracket'],
  ['foo[5m:1m)', "1:11: parse error: unexpected right parenthesis ')'"],
  ['foo[1.5h]', '1:5: parse error: not a valid duration string: "1.5h"'],
  ['foo[5h5h]', '1:5: parse error: not a valid duration string: "5h5h"'],
  ['foo[0s]', '1:5: parse error: duration must be greater than 0'],
  ['foo[5m:0s]', '1:8: parse error: duration must be greater than 0'],
  ['foo[5m:1m:2m]', "1:10: parse error: unexpected colon ':'"],
  ['foo{', '1:5: parse error: unexpected end of input inside braces'],
  ['foo{a', '1:6: parse error: unexpected end of input inside braces'],
  ['foo{a=', '1:7: parse error: unexpected end of input inside braces'],
  ['foo{a=b}', '1:7: parse error: unexpected identifier "b" in label matching, expected string'],
  ['foo{a="b" c="d"}', '1:11: parse error: unexpected identifier "c" in label matching, expected "," or "}"'],
  ['foo{a="b",,}', '1:11: parse error: unexpected "," in label matching, expected identifier or "}"'],
  ['foo{,}', '1:5: parse error: unexpected "," in label matching, expected identifier or "}"'],
  ['foo{a~"b"}', "1:6: parse error: unexpected character inside braces: '~'"],
  ['foo{a!"b"}', "1:6: parse error: unexpected character after '!' inside braces: '\"'"],
  ['foo{a=="b"}', '1:7: parse error: unexpected "=" in label matching, expected string'],
  ['foo{:a="b"}', "1:5: parse error: unexpected character inside braces: ':'"],
  ['foo{a="b"}}', "1:11: parse error: unexpected character: '}'"],
  ['foo{a="b"}{c="d"}', '1:11: parse error: unexpected "{"'],
  ['foo{{}', "1:5: parse error: unexpected left brace '{'"],
  ['foo{a=~"*a"}', '1:5: parse error: error parsing regexp: missing argument to repetition operator: `*`'],
  ['foo{a=~"a{2,1}"}', '1:5: parse error: error parsing regexp: invalid repeat count: `{2,1}`'],
  ['foo{a=~"\\\\q"}', '1:5: parse error: error parsing regexp: invalid escape sequence: `\\q`'],
  ['foo{__name__="bar"}', '1:1: parse error: metric name must not be set twice: "foo" or "bar"'],
  ['{}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
  ['{a=""}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
  ['{a=~".*"}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
  ['foo offset 5m offset 6m', '1:1: parse error: offset may not be set multiple times'],
  ['foo offset 5m[5m]', '1:14: parse error: no offset modifiers allowed before range'],
  ['foo @ 5 [5m]', '1:9: parse error: no @ modifiers allowed before range'],
  ['foo @', '1:6: parse error: unexpected end of input in @, expected timestamp'],
  ['foo @ bar', '1:7: parse error: unexpected identifier "bar" in @, expected timestamp'],
  ['foo @ start', '1:12: parse error: unexpected end of input in @, expected timestamp'],
  ['foo @ start(5)', '1:13: parse error: unexpected number "5" in @, expected timestamp'],
  ['foo @ Inf', '1:1: parse error: timestamp out of bounds for @ modifier: +Inf'],
  ['foo @ NaN', '1:1: parse error: timestamp out of bounds for @ modifier: NaN'],
  ['foo @ -Inf', '1:1: parse error: timestamp out of bounds for @ modifier: -Inf'],
  ['foo @ 1e30', '1:1: parse error: timestamp out of bounds for @ modifier: 1000000000000000019884624838656.000000'],
  ['foo @ 5 @ 6', '1:1: parse error: @ <timestamp> may not be set multiple times'],
  [
    '(foo) offset 5m',
    '1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery',
  ],
  ['(foo)[5m]', '1:6: parse error: ranges only allowed for vector selectors'],
  [
    '(foo) @ 5',
    '1:1: parse error: @ modifier must be preceded by an instant vector selector or range vector selector or a subquery',
  ],
  [
    '1 offset 5m',
    '1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery',
  ],
  ['1[5m]', '1:2: parse error: ranges only allowed for vector selectors'],
  ['"a"[5m]', '1:4: parse error: ranges only allowed for vector selectors'],
  ['foo[5m] offset 5m offset 5m', '1:1: parse error: offset may not be set multiple times'],
  ['1 + ', '1:5: parse error: unexpected end of input'],
  ['+', '1:2: parse error: unexpected end of input'],
  ['1 +* 2', '1:4: parse error: unexpected <op:*>'],
  ['1 == 1', '1:3: parse error: comparisons between scalars must use BOOL modifier'],
  ['1 + bool 1', '1:3: parse error: bool modifier can only be used on comparison operators'],
  ['foo + bool bar', '1:5: parse error: bool modifier can only be used on comparison operators'],
  ['foo + on bar', '1:10: parse error: unexpected identifier "bar" in grouping opts, expected "("'],
  ['foo + on(a) group_left(a) bar', '1:5: parse error: label "a" must not occur in ON and GROUP clause at once'],
  ['foo and on(a) group_left(b) bar', '1:1: parse error: no grouping allowed for "and" operation'],
  ['foo and 1', '1:1: parse error: set operator "and" not allowed in binary scalar expression'],
  ['1 and 1', '1:1: parse error: set operator "and" not allowed in binary scalar expression'],
  ['1 or foo', '1:1: parse error: set operator "or" not allowed in binary scalar expression'],
  ['foo + group_left(a) bar', '1:7: parse error: unexpected <group_left>'],
  ['foo + on(a) 1', '1:1: parse error: vector matching only allowed between instant vectors'],
  ['1 + on(a) foo', '1:1: parse error: vector matching only allowed between instant vectors'],
  ['1 + ignoring(a) 1', '1:1: parse error: vector matching only allowed between instant vectors'],
  ['foo + "a"', '1:7: parse error: binary expression must contain only scalar and instant vector types'],
  ['"a" + "b"', '1:1: parse error: binary expression must contain only scalar and instant vector types'],
  ['foo == "a"', '1:8: parse error: binary expression must contain only scalar and instant vector types'],
  [
    '-"a"',
    '1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "string"',
  ],
  [
    '-foo[5m]',
    '1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "range vector"',
  ],
  ['(foo[5m])[5m:1m]', '1:1: parse error: subquery is only allowed on instant vector, got matrix instead'],
  ['1[5m:1m]', '1:1: parse error: subquery is only allowed on instant vector, got scalar instead'],
  ['foo[5m][5m:1m]', '1:1: parse error: subquery is only allowed on instant vector, got matrix instead'],
  ['unknown(foo)', '1:1: parse error: unknown function with name "unknown"'],
  ['abs()', '1:1: parse error: expected 1 argument(s) in call to "abs", got 0'],
  ['abs(1)', '1:5: parse error: expected type instant vector in call to function "abs", got scalar'],
  ['abs(a,b)', '1:1: parse error: expected 1 argument(s) in call to "abs", got 2'],
  ['round(a,1,2)', '1:1: parse error: expected at most 2 argument(s) in call to "round", got 3'],
  ['round()', '1:1: parse error: expected at least 1 argument(s) in call to "round", got 0'],
  ['label_join(a)', '1:1: parse error: expected at least 3 argument(s) in call to "label_join", got 1'],
  ['label_replace(a,"b","c")', '1:1: parse error: expected 5 argument(s) in call to "label_replace", got 3'],
  ['clamp(1,2,3)', '1:7: parse error: expected type instant vector in call to function "clamp", got scalar'],
  ['vector(foo)', '1:8: parse error: expected type scalar in call to function "vector", got instant vector'],
  ['scalar(1)', '1:8: parse error: expected type instant vector in call to function "scalar", got scalar'],
  ['count_values(5, foo)', '1:14: parse error: expected type string in aggregation parameter, got scalar'],
  ['count_values(foo, foo)', '1:14: parse error: expected type string in aggregation parameter, got instant vector'],
  ['topk("a", foo)', '1:6: parse error: expected type scalar in aggregation parameter, got string'],
  ['quantile("a", foo)', '1:10: parse error: expected type scalar in aggregation parameter, got string'],
  ['sum(1)', '1:5: parse error: expected type instant vector in aggregation expression, got scalar'],
  ['sum("a")', '1:5: parse error: expected type instant vector in aggregation expression, got string'],
  ['sum(foo[5m])', '1:5: parse error: expected type instant vector in aggregation expression, got range vector'],
  [')', "1:2: parse error: unexpected right parenthesis ')'"],
  [']', "1:1: parse error: unexpected right bracket ']'"],
  ['foo]', "1:4: parse error: unexpected right bracket ']'"],
  ['foo[5m]]', "1:8: parse error: unexpected right bracket ']'"],
  ['}', "1:1: parse error: unexpected character: '}'"],
  ['foo}', "1:4: parse error: unexpected character: '}'"],
  ['"abc', '1:1: parse error: unterminated quoted string'],
  ["'abc", '1:1: parse error: unterminated quoted string'],
  ['`abc', '1:1: parse error: unterminated raw string'],
  ['"\\q"', "1:1: parse error: unknown escape sequence U+0071 'q'"],
  ['"\\x"', "1:1: parse error: illegal character U+0022 '\"' in escape sequence"],
  ['"\\xg1"', "1:1: parse error: illegal character U+0067 'g' in escape sequence"],
  ['"\\400"', '1:1: parse error: escape sequence is an invalid Unicode code point'],
  ['"\\ud800"', '1:1: parse error: escape sequence is an invalid Unicode code point'],
  ['"\\\'"', "1:1: parse error: unknown escape sequence U+0027 '''"],
  ["'\\\"'", "1:1: parse error: unknown escape sequence U+0022 '\"'"],
  ['"a\nb"', '1:1: parse error: unterminated quoted string'],
  ['#', '1:1: parse error: no expression found in input'],
  ['# comment', '1:1: parse error: no expression found in input'],
  ['1 + # x', '1:8: parse error: unexpected end of input'],
  ['foo !', "1:5: parse error: unexpected character after '!': '�'"],
  ['foo !~ bar', "1:5: parse error: unexpected character after '!': '~'"],
  ['foo =~ bar', "1:5: parse error: unexpected character after '=': '~'"],
  ['foo = bar', '1:5: parse error: unexpected "="'],
  ['foo =', '1:5: parse error: unexpected "="'],
  ['~', "1:1: parse error: unexpected character: '~'"],
  ['foo ~ bar', "1:5: parse error: unexpected character: '~'"],
  ['foo & bar', "1:5: parse error: unexpected character: '&'"],
  ['foo $ bar', "1:5: parse error: unexpected character: '$'"],
  ['ü', "1:1: parse error: unexpected character: 'ü'"],
  ['foo{ü="a"}', "1:5: parse error: unexpected character inside braces: 'ü'"],
  ['0x', '1:1: parse error: error parsing number: strconv.ParseFloat: parsing "0x": invalid syntax'],
  ['0xg', '1:1: parse error: bad number or duration syntax: "0x"'],
  ['.', "1:1: parse error: unexpected character: '.'"],
  ['5x', '1:1: parse error: bad number or duration syntax: "5"'],
  ['5mx', '1:1: parse error: bad number or duration syntax: "5mx"'],
  ['1e400', '1:1: parse error: error parsing number: strconv.ParseFloat: parsing "1e400": value out of range'],
  [
    '0xffffffffffffffffffffff',
    '1:1: parse error: error parsing number: strconv.ParseFloat: parsing "0xffffffffffffffffffffff": invalid syntax',
  ],
  ['bool', '1:1: parse error: unexpected <bool>'],
  ['sum.foo', "1:4: parse error: unexpected character: '.'"],
  ['foo bar', '1:5: parse error: unexpected identifier "bar"'],
  ['foo 5', '1:5: parse error: unexpected number "5"'],
  ['5 foo', '1:3: parse error: unexpected identifier "foo"'],
  ['5 5', '1:3: parse error: unexpected number "5"'],
  ['"a" "b"', '1:5: parse error: unexpected string "\\"b\\""'],
  ['foo "a"', '1:5: parse error: unexpected string "\\"a\\""'],
  ['foo (a)', '1:1: parse error: unknown function with name "foo"'],
  ['sum(foo:bar baz)', '1:13: parse error: unexpected identifier "baz" in aggregation'],
  ['absent(foo[5m])', '1:8: parse error: expected type instant vector in call to function "absent", got range vector'],
  [
    'absent_over_time(foo)',
    '1:18: parse error: expected type range vector in call to function "absent_over_time", got instant vector',
  ],
  [
    'histogram_quantile(foo, bar)',
    '1:20: parse error: expected type scalar in call to function "histogram_quantile", got instant vector',
  ],
  ['foo[5m] @ 5 offset 5m @ 6', '1:1: parse error: @ <timestamp> may not be set multiple times'],
  ['foo[5m:1m] @ 5 @ 6', '1:1: parse error: @ <timestamp> may not be set multiple times'],
  ['sum(sum(foo) + )', '1:16: parse error: unexpected ")" in aggregation'],
  ['sum by (a) sum', '1:12: parse error: unexpected <aggr:sum> in aggregation'],
  ['sum(foo) by', '1:12: parse error: unexpected end of input in grouping opts, expected "("'],
  ['sum(foo{a b})', '1:11: parse error: unexpected identifier "b" in label matching, expected label matching operator'],
  ['foo unless bool bar', '1:5: parse error: bool modifier can only be used on comparison operators'],
  ['1 == 1 == 1', '1:3: parse error: comparisons between scalars must use BOOL modifier'],
  ['sum(foo) without foo', '1:18: parse error: unexpected identifier "foo" in grouping opts, expected "("'],
  ['foo offset 300y', '1:12: parse error: duration out of range'],
  ['foo[300y]', '1:5: parse error: duration out of range'],
  ['foo[5m1h]', '1:5: parse error: not a valid duration string: "5m1h"'],
  ['minute(foo,bar)', '1:1: parse error: expected at most 1 argument(s) in call to "minute", got 2'],
  ['foo{a=5}', "1:7: parse error: unexpected character inside braces: '5'"],
  ['foo{5="a"}', "1:5: parse error: unexpected character inside braces: '5'"],
  ['foo{a=~5}', "1:8: parse error: unexpected character inside braces: '5'"],
]

// Texts that came with Prometheus 3.
const SINCE_PROMETHEUS_3: readonly (readonly [query: string, message: string])[] = [
  ['foo[', '1:5: parse error: unexpected end of input in duration expression'],
  [
    'foo[]',
    '1:5: parse error: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()',
  ],
  ['foo[abc]', "1:5: parse error: unexpected character in duration expression: 'a'"],
  ['foo[5 m]', "1:7: parse error: unexpected character: 'm', expected ':'"],
  ['foo[5mm]', '1:5: parse error: bad number or duration syntax: "5mm"'],
  ['foo[:1m]', '1:6: parse error: unexpected colon before duration in duration expression'],
  ['foo[5m:1m:1m]', "1:10: parse error: unexpected colon ':'"],
  [
    'foo[5m+]',
    '1:8: parse error: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()',
  ],
  ['foo[-5m]', '1:5: parse error: duration must be greater than 0'],
  ['foo[5m/0]', '1:7: parse error: division by zero'],
  ['foo[5m % 0]', '1:8: parse error: modulo by zero'],
  ['foo[1e10]', '1:5: parse error: duration out of range'],
  ['foo offset', '1:11: parse error: unexpected end of input in offset, expected number, duration, step(), or range()'],
  [
    'foo offset bar',
    '1:12: parse error: unexpected identifier "bar" in offset, expected number, duration, step(), or range()',
  ],
  ['foo offset NaN', '1:12: parse error: duration out of range'],
  ['foo offset (1m) offset (2m)', '1:1: parse error: offset may not be set multiple times'],
  ['foo{a=~"("}', '1:5: parse error: error parsing regexp: missing closing ): `(`'],
  ['foo{a=~"[a"}', '1:5: parse error: error parsing regexp: missing closing ]: `[a`'],
  ['1.2.3', '1:1: parse error: bad number or duration syntax: "1.2."'],
  ['.5.5', '1:1: parse error: error parsing number: strconv.ParseFloat: parsing ".5.5": invalid syntax'],
  ['0x', '1:1: parse error: error parsing number: strconv.ParseFloat: parsing "0x": invalid syntax'],
  ['end(foo)', '1:1: parse error: expected 0 argument(s) in call to "end", got 1'],
  ['STEP()', '1:1: parse error: unknown function with name "STEP"'],
  ['foo[5m] anchored smoothed', '1:1: parse error: anchored and smoothed modifiers cannot be used together'],
  ['foo[5m:1m] anchored', '1:1: parse error: anchored modifier is not supported for subqueries'],
  ['1 smoothed', '1:1: parse error: smoothed modifier not implemented'],
  ['foo and fill(1) bar', '1:1: parse error: filling in missing series not allowed for set operators'],
  ['foo + fill(1) 2', '1:1: parse error: filling in missing series only allowed between instant vectors'],
  ['foo + fill(a) bar', '1:12: parse error: unexpected identifier "a"'],
  ['sum by ("") (x)', '1:9: parse error: invalid label name for grouping: ""'],
  ['sum by ("a\\xc5z") (x)', '1:9: parse error: invalid label name for grouping: "a\\xc5z"'],
  ['sum by (without) (x)', '1:9: parse error: unexpected <without> in grouping opts, expected label'],
  ['a * on (x) group_left > b', '1:23: parse error: unexpected <op:>> in grouping opts, expected "("'],
  [
    'a offset (1m) - b',
    '1:17: parse error: unexpected identifier "b" in offset, expected number, duration, step(), or range()',
  ],
  ['info(foo, bar)', '1:11: parse error: expected label selectors only, got vector selector instead'],
  ['info(foo, sum(bar))', '1:11: parse error: expected label selectors only'],
  [
    'histogram_quantiles(foo, "q")',
    '1:1: parse error: expected at least 3 argument(s) in call to "histogram_quantiles", got 2',
  ],
  ['{"a', '1:2: parse error: unterminated quoted string'],
  ['{"ü"="x",', '1:11: parse error: unexpected end of input inside braces'],
]

const messageOf = (parse: () => unknown): string => {
  try {
    parse()
  } catch (error) {
    if (error instanceof ParseError) return error.message
    throw error
  }
  return 'parses'
}

test.each(SINCE_PROMETHEUS_2)('%j is refused as Prometheus refuses it', (query, message) => {
  expect(messageOf(() => parseExpr(query, ALL_FEATURES))).toBe(message)
})

test.each(SINCE_PROMETHEUS_3)('%j is refused as Prometheus 3 refuses it', (query, message) => {
  expect(messageOf(() => parseExpr(query, ALL_FEATURES))).toBe(message)
})

test.each([
  [
    'limitk(1, x)',
    '1:1: parse error: limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions',
  ],
  ['1 + mad_over_time(x[5m])', '1:5: parse error: function "mad_over_time" is not enabled'],
  ['x[5m] anchored', '1:1: parse error: anchored modifier is experimental and not enabled'],
  ['x + fill(0) y', '1:1: parse error: binop fill modifiers are experimental and not enabled'],
  ['x[5m+1m]', 'parses'],
  ['x[5m]', 'parses'],
])('%j without feature flags', (query, message) => {
  expect(messageOf(() => parseExpr(query))).toBe(message)
})

test('duration expressions can be switched off', () => {
  const message = '1:3: parse error: experimental duration expression is not enabled'
  expect(messageOf(() => parseExpr('x[5m+1m]', { durationExpressions: false }))).toBe(message)
})

test('an error carries line and column in bytes, and the status of the API', () => {
  const error = (() => {
    try {
      return parseExpr('sum(\n  "ü" + )\n)')
    } catch (thrown) {
      return thrown as ParseError
    }
  })()
  expect(error).toMatchObject({ code: 'ERR_PROMQL_PARSE', httpStatus: 400, line: 2, column: 10 })
})

test('trees too deep for the stack are refused, long rows of operators are not', () => {
  expect(messageOf(() => parseExpr('('.repeat(100_000)))).toMatch(/nested deeper than/)
  expect(messageOf(() => parseExpr('-'.repeat(100_000)))).toMatch(/nested deeper than/)
  expect(messageOf(() => parseExpr(`x${'+x'.repeat(100_000)}`))).toMatch(/deeper than/)
  expect(messageOf(() => parseExpr(`x${'+x'.repeat(1200)}`))).toBe('parses')
})

test('parseSelector takes selectors and nothing else', () => {
  expect(parseSelector('up{job=~"a.*", "x.y"!="z"}').map((m) => `${m.name}${m.type}${m.value}`)).toEqual([
    'job=~a.*',
    'x.y!=z',
    '__name__=up',
  ])
  expect(parseSelector('{"a b"}')).toMatchObject([{ name: '__name__', type: '=', value: 'a b' }])
  expect(parseSelector('{}')).toEqual([])
  expect(messageOf(() => parseSelector(''))).toBe('unknown position: parse error: unexpected end of input')
  expect(messageOf(() => parseSelector('up[5m]'))).toBe('1:3: parse error: unexpected "["')
  expect(messageOf(() => parseSelector('1'))).toBe('1:1: parse error: unexpected number "1"')
})
