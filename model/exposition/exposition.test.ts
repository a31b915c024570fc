import { expect, test } from 'vitest'
import {
  type ExpositionFormat,
  ExpositionError,
  formatOfContentType,
  labelsText,
  parseExposition,
  readExposition,
  readMetadata,
  writeExposition,
} from '../index.ts'

function parse(text: string | Uint8Array, format: ExpositionFormat = 'text'): string[] {
  const lines: string[] = []
  parseExposition(typeof text === 'string' ? Buffer.from(text) : text, format, {
    metadata: (line) => lines.push(`${line.kind} ${line.name} ${line.kind === 'type' ? line.type : line.text}`),
    sample: ({ labels, value, timestampMs, exemplar }) => {
      const time = timestampMs === undefined ? '' : ` @${timestampMs}`
      const example = exemplar ? ` # ${labelsText(exemplar.labels)} ${exemplar.value} @${exemplar.timestampMs}` : ''
      lines.push(`${labelsText(labels)} ${Object.is(value, -0) ? '-0' : value}${time}${example}`)
    },
  })
  return lines
}

test.each<[string, string[]]>([
  ['', []],
  ['a 1', ['a 1']],
  ['  a\t\t{ x = "1" , y="2", }\t 5 ', ['a{x="1", y="2"} 5']],
  ['a{}1\n\n \t\nb 2\n', ['a{} 1', 'b 2'].map((line) => line.replace('{}', ''))],
  ['a{z="1",b="2"} 1', ['a{b="2", z="1"} 1']],
  ['a{x="q\\"b\\\\n\\n\\d"} 1', ['a{x="q\\"b\\\\n\\n\\\\d"} 1']],
  ['a{x="} 5 # é"} 1', ['a{x="} 5 # é"} 1']],
  ['a{x=""} 1', ['a 1']],
  ['{"my.metric","l.x"="v"} 1', ['{__name__="my.metric", "l.x"="v"} 1'.replace('__name__', '__name__')]],
  ['a:b{x="1"} 1', ['a:b{x="1"} 1']],
  [
    'a NaN\nb +Inf\nc -inf\nd Infinity\ne 1e+06\nf .5\ng 7.\nh -0',
    ['a NaN', 'b Infinity', 'c -Infinity', 'd Infinity', 'e 1000000', 'f 0.5', 'g 7', 'h -0'],
  ],
  ['a 1 1395066363000\nb 1 5', ['a 1 @1395066363000', 'b 1 @5']],
  ['# HELP a two\\nlines \\\\ \\x\n# TYPE a counter', ['help a two\nlines \\ \\x', 'type a counter']],
  ['# HELP a\n#HELP b c\n# remark\n#\n# TYPED a\n  #  TYPE   a\tgauge', ['help a ', 'type a gauge']],
  ['# TYPE "my.metric" untyped', ['type my.metric unknown']],
  [
    '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1',
    ['type h histogram', 'h_bucket{le="1.0"} 1', 'h_bucket{le="+Inf"} 1'],
  ],
])('text: %j', (text, want) => expect(parse(text)).toEqual(want))

test.each<[string, number, string]>([
  ['a 1\nb', 2, 'expected value'],
  ['a x', 1, 'invalid value "x"'],
  ['a 1_0', 1, 'invalid value'],
  ['a 0x10', 1, 'invalid value'],
  ['a 1e400', 1, 'invalid value'],
  ['a +NaN', 1, 'invalid value'],
  ['a 1 1.5', 1, 'invalid timestamp'],
  // As Prometheus, where a time before 1970 ends the scrape.
  ['a 1 -5', 1, 'invalid timestamp'],
  ['a 1 2 3', 1, 'unexpected text'],
  ['a 1 # {x="1"} 1', 1, 'invalid timestamp "#"'],
  ['a 1\r\n', 1, 'invalid value "1\\r"'],
  ['1a 1', 1, 'expected a metric name'],
  ['{x="1"} 1', 1, 'expected a metric name'],
  ['a{"b"} 1', 1, 'expected "="'],
  ['a{x="1} 1', 1, 'no end'],
  ['a{x=1} 1', 1, 'quoted string'],
  ['a{x="1",,y="2"} 1', 1, 'label name'],
  ['a{x="1" y="2"} 1', 1, '"," or "}"'],
  ['a{x="1",x="2"} 1', 1, 'not unique'],
  ['# TYPE a big', 1, 'invalid metric type "big"'],
  ['# TYPE a constructor', 1, 'invalid metric type "constructor"'],
  ['# TYPE a gauge ', 1, 'invalid metric type "gauge "'],
  ['# TYPE a gauge\r\na 1', 1, 'invalid metric type "gauge\\r"'],
  ['a constructor', 1, 'invalid value "constructor"'],
  ['\n# HELP 1', 2, 'expected a metric name after HELP'],
])('text, refused: %j', (text, line, why) => {
  expect(() => parse(text)).toThrow(ExpositionError)
  expect(() => parse(text)).toThrow(`line ${line}: `)
  expect(() => parse(text)).toThrow(why)
})

test('bytes that are no UTF-8 are refused, with their line', () => {
  expect(() => parse(Buffer.from([0x61, 0x20, 0x31, 10, 0x23, 0xff]))).toThrow('line 2: invalid UTF-8')
})

test.each<[string, string[]]>([
  ['a 1\n# EOF\n', ['a 1']],
  ['a 1\n# EOF', ['a 1']],
  [
    '# TYPE a_s counter\n# UNIT a_s s\n# HELP a_s x \\"y\\"\na_s_total 1 1.5\n# EOF',
    ['type a_s counter', 'unit a_s s', 'help a_s x "y"', 'a_s_total 1 @1500'],
  ],
  [
    'a_total 1 # {id="x"} 0.5 2\nb_total{x="1"} 1 3 # {} 1\n# EOF',
    ['a_total 1 # {id="x"} 0.5 @2000', 'b_total{x="1"} 1 @3000 # {} 1 @undefined'],
  ],
])('openmetrics: %j', (text, want) => expect(parse(text, 'openmetrics')).toEqual(want))

test.each<[string, string]>([
  ['a 1\n', 'line 2: data does not end with # EOF'],
  ['a 1\n# EOF\nb 1', 'line 3: unexpected data after # EOF'],
  ['a  1\n# EOF', 'line 1'],
  ['a 1\n\n# EOF', 'line 2'],
  ['# remark\n# EOF', 'expected HELP, TYPE, UNIT or EOF'],
  ['# TYPE a untyped\n# EOF', 'invalid metric type "untyped"'],
  ['# UNIT a seconds\n# EOF', 'unit "seconds" is not a suffix'],
  ['a 1 NaN\n# EOF', 'invalid timestamp'],
])('openmetrics, refused: %j', (text, why) => expect(() => parse(text, 'openmetrics')).toThrow(why))

test('families hold the samples that carry their suffixes', () => {
  const text =
    '# TYPE h histogram\n# HELP h H\nh_bucket{le="1"} 1\nh_sum 2\nh_count 1\nh_other 1\nx 1\n# TYPE c counter\nc_total 1\n'
  const names = (format: ExpositionFormat, body: string) =>
    readExposition(Buffer.from(body), format).map((one) => `${one.name} ${one.type} ${one.samples.length}`)
  expect(names('text', text)).toEqual([
    'h histogram 3',
    'h_other unknown 1',
    'x unknown 1',
    'c counter 0',
    'c_total unknown 1',
  ])
  expect(names('openmetrics', `${text}# EOF`)).toEqual([
    'h histogram 3',
    'h_other unknown 1',
    'x unknown 1',
    'c counter 1',
  ])
  expect(readMetadata(Buffer.from(text), 'text').get('h')).toEqual({ type: 'histogram', help: 'H', unit: '' })
})

test('what is written is read back', () => {
  const text =
    '# HELP a He\\\\lp\\n2\n# TYPE a counter\na{x="q\\"\\\\\\n"} 1e+06\na 1 5\n' +
    '# TYPE "b.c" untyped\n{"b.c","l.x"="v"} NaN\n{"b.c"} -Inf\n'
  expect(writeExposition(readExposition(Buffer.from(text), 'text'))).toBe(text)
})

test.each([
  ['text/plain; version=0.0.4; charset=utf-8', 'text'],
  ['Application/OpenMetrics-Text;version=1.0.0', 'openmetrics'],
  ['text/plain', 'text'],
  ['text/html', undefined],
  ['', undefined],
])('content type %j', (contentType, want) => expect(formatOfContentType(contentType)).toBe(want))
