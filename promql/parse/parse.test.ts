import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ALL_FEATURES, type Expr, exprType, functionSignatures, parseExpr, printExpr, walkExpr } from '../index.ts'

const yardsticks = process.env['BELLTOWER_YARDSTICKS'] ?? '../shared/yardsticks'
const scripts = join(yardsticks, 'promqltest')
const EVAL = /^\s*eval\w*\s+(?:instant(?:\s+at\s+\S+)?|range\s+from\s+\S+\s+to\s+\S+\s+step\s+\S+)\s+(.+)$/i

const parse = (text: string): Expr => parseExpr(text, ALL_FEATURES)

if (!existsSync(scripts)) console.log(`skipped: the expressions of ${scripts}, which is not there`)

describe.skipIf(!existsSync(scripts))('the expressions of the promqltest scripts', () => {
  const files = existsSync(scripts) ? readdirSync(scripts).filter((name) => name.endsWith('.test')) : []

  test.each(files)('%s: all parse, and print to what parses the same', (file) => {
    let count = 0
    for (const line of readFileSync(join(scripts, file), 'utf8').split('\n')) {
      const text = EVAL.exec(line)?.[1]
      if (text === undefined) continue
      const printed = printExpr(parse(text))
      expect(printExpr(parse(printed)), text).toBe(printed)
      count++
    }
    expect(count).toBeGreaterThan(0)
  })
})

describe('values', () => {
  test.each<[text: string, value: number]>([
    ['5', 5],
    ['-5', -5],
    ['- -5', 5],
    ['1e3', 1000],
    ['.5', 0.5],
    ['1.', 1],
    ['1_000_000', 1e6],
    ['1_0.2_5', 10.25],
    ['0x1F', 31],
    ['0x_ff', 255],
    ['010', 8],
    ['08', 8],
    ['0_17', 15],
    ['010.5', 10.5],
    ['0777777777777777777777777', Number('777777777777777777777777')],
    ['9223372036854775807', 2 ** 63],
    ['99999999999999999999', 1e20],
    ['INF', Number.POSITIVE_INFINITY],
    ['-inf', Number.NEGATIVE_INFINITY],
    ['NaN', Number.NaN],
    ['5m', 300],
    ['1h30m', 5400],
    ['250ms', 0.25],
    ['-1w', -604800],
  ])('%s', (text, value) => {
    expect(parse(text)).toMatchObject({ kind: 'number', value })
  })

  test.each<[text: string, value: string]>([
    ['"a\\tb"', 'a\tb'],
    ["'it\\'s \"x\"'", 'it\'s "x"'],
    ['`raw \\n`', 'raw \\n'],
    ['"\\x41\\102\\u00e9\\U0001F600"', 'ABé😀'],
    ['"\\xc3\\xa9"', 'é'],
    ['"\\xe9"', '\udce9'],
    ['"a\\xf0\\x9f\\x98b"', 'a\udcf0\udc9f\udc98b'],
  ])('%s', (text, value) => {
    expect(parse(text)).toMatchObject({ kind: 'string', value })
  })
})

describe('structure', () => {
  const shape = (expr: Expr): string => {
    switch (expr.kind) {
      case 'binary':
        return `(${shape(expr.left)} ${expr.op} ${shape(expr.right)})`
      case 'unary':
        return `${expr.op}[${shape(expr.expr)}]`
      case 'paren':
        return shape(expr.expr)
      default:
        return printExpr(expr)
    }
  }

  test.each([
    ['a or b and c unless d', '(a or ((b and c) unless d))'],
    ['a + b * c ^ d ^ e - f', '((a + (b * (c ^ (d ^ e)))) - f)'],
    ['a == b + c', '(a == (b + c))'],
    ['-1 ^ 2', '-[(1 ^ 2)]'],
    ['-a * b', '(-[a] * b)'],
    ['-a ^ b', '-[(a ^ b)]'],
    ['2 ^ -1 * 3', '((2 ^ -1) * 3)'],
    ['a atan2 b / c', '((a atan2 b) / c)'],
    ['a </ 1 + 2', '(a </ (1 + 2))'],
    ['a offset 2 ^ 2', '(a offset 2s ^ 2)'],
    ['a offset (2) ^ 2', 'a offset (2) ^ 2'],
    ['a offset -(2m) + b', '(a offset -(2m) + b)'],
    ['a offset step() * 0', '(a offset step() * 0)'],
    ['-a @ 5', '-[a @ 5.000]'],
  ])('%s', (text, want) => {
    expect(shape(parse(text))).toBe(want)
  })

  test('keywords are names where an operand is due, and labels in lists', () => {
    const names = 'and or unless by offset sum avg topk start end step range min_of anchored fill fill_left'
    for (const name of names.split(' ')) {
      expect(parse(`${name} + ${name}{a="b"}`)).toMatchObject({ left: { name }, right: { name } })
    }
    for (const name of `${names} bool on ignoring group_left atan2`.split(' ')) {
      expect(parse(`sum by (${name}) (x{${name}="1"})`)).toMatchObject({ grouping: [name] })
    }
    expect(parse('without + sum by ("without") (x)')).toMatchObject({ left: { name: 'without' } })
    expect(parse('SUM BY (a) (x)')).toMatchObject({ op: 'sum', grouping: ['a'] })
  })

  test('a selector', () => {
    expect(parse('a:b{x!="1", "y z"=~"q.*", w!~\'v\'} @ end() offset -1h30m')).toMatchObject({
      kind: 'vectorSelector',
      name: 'a:b',
      matchers: [
        { name: 'x', type: '!=', value: '1' },
        { name: 'y z', type: '=~', value: 'q.*' },
        { name: 'w', type: '!~', value: 'v' },
        { name: '__name__', type: '=', value: 'a:b' },
      ],
      offsetMs: -5_400_000,
      at: { kind: 'end' },
      span: { start: 0, end: 55 },
    })
    expect(parse('{"my.metric", a="b"}')).toMatchObject({ name: '', matchers: [{ name: '__name__' }, { name: 'a' }] })
    expect(parse('x @ -1.5')).toMatchObject({ at: { kind: 'time', timestampMs: -1500 } })
  })

  test('ranges and subqueries', () => {
    expect(parse('x[5m] offset 1m @ 10 anchored')).toMatchObject({
      kind: 'matrixSelector',
      rangeMs: 300_000,
      selector: { name: 'x', offsetMs: 60_000, at: { kind: 'time', timestampMs: 10_000 }, anchored: true },
    })
    expect(parse('x[300.5]')).toMatchObject({ rangeMs: 300_500 })
    expect(parse('rate(x[1m])[1h:] offset 5m')).toMatchObject({
      kind: 'subquery',
      rangeMs: 3_600_000,
      stepMs: 0,
      offsetMs: 300_000,
    })
    expect(parse('x[min_of(step() * 2, 1h):-(range()) + 1m]')).toMatchObject({
      rangeMs: 0,
      rangeExpr: { kind: 'min', left: { kind: 'binary', op: '*', left: { kind: 'step' } } },
      stepExpr: {
        kind: 'binary',
        op: '+',
        left: { kind: 'negate', inner: { kind: 'paren', inner: { kind: 'range' } } },
      },
    })
  })

  test('vector matching', () => {
    const none = { card: 'one-to-one', labels: [], on: false, include: [], fillLeft: undefined, fillRight: undefined }
    expect(parse('a + b')).toMatchObject({ matching: none })
    expect(parse('a and b')).toMatchObject({ matching: { ...none, card: 'many-to-many' } })
    expect(parse('a + 1')).toMatchObject({ matching: undefined })
    expect(parse('a > bool on (x, "y z") group_left (w) fill_right(-1) fill_left(2) b')).toMatchObject({
      returnBool: true,
      matching: { card: 'many-to-one', labels: ['x', 'y z'], on: true, include: ['w'], fillLeft: 2, fillRight: -1 },
    })
    expect(parse('a * ignoring(x) group_right fill (0) b')).toMatchObject({
      matching: { card: 'one-to-many', labels: ['x'], on: false, include: [], fillLeft: 0, fillRight: 0 },
    })
    expect(parse('fill + fill_left')).toMatchObject({ left: { name: 'fill' }, right: { name: 'fill_left' } })
  })

  test('aggregations take their clause before or after', () => {
    const want = { op: 'topk', grouping: ['a', 'b'], without: true, param: { value: 3 }, expr: { name: 'x' } }
    expect(parse('topk without (a, b,) (3, x)')).toMatchObject(want)
    expect(parse('topk(3, x) without (a, b)')).toMatchObject(want)
    expect(parse('sum(x)')).toMatchObject({ grouping: [], without: false, param: undefined })
  })

  test('comments and line ends', () => {
    expect(printExpr(parse('sum( # how many\n  x{ # which\n a="#"} ) # done'))).toBe('sum(x{a="#"})')
  })
})

test('types of expressions', () => {
  const types = [
    '1',
    '"a"',
    'x',
    'x[5m]',
    'x[5m:]',
    '1 + 2',
    '1 + x',
    '-(x)',
    'time()',
    'scalar(x)',
    'rate(x[5m])',
    'sum(x)',
  ]
  expect(types.map((text) => exprType(parse(text)))).toEqual([
    'scalar',
    'string',
    'vector',
    'matrix',
    'matrix',
    'scalar',
    'vector',
    'vector',
    'scalar',
    'scalar',
    'vector',
    'vector',
  ])
})

test('the table of functions', () => {
  expect(functionSignatures.size).toBe(90)
  const { argTypes, variadic, returnType, experimental } = functionSignatures.get('histogram_quantiles')!
  expect({ argTypes, variadic, returnType, experimental }).toEqual({
    argTypes: ['vector', 'string', 'scalar', 'scalar'],
    variadic: 9,
    returnType: 'vector',
    experimental: true,
  })
})

test('walkExpr visits parents first, with the path to them', () => {
  const seen: string[] = []
  walkExpr(parse('sum(rate(x[5m])) + topk(1, y)'), (expr, path) => seen.push(`${path.length} ${expr.kind}`))
  expect(seen).toEqual([
    '0 binary',
    '1 aggregation',
    '2 call',
    '3 matrixSelector',
    '4 vectorSelector',
    '1 aggregation',
    '2 number',
    '2 vectorSelector',
  ])
})
