import { expect, test } from 'vitest'
import {
  asyncFunction,
  compileTemplate,
  type GoValue,
  GoStruct,
  GoTime,
  parseTemplates,
  stringMap,
  type TemplateOptions,
  templateFunction,
} from './index.ts'

const START = GoTime.fromUnixMs(Date.UTC(2026, 10, 21, 3, 4, 5, 60))

const DATA = new GoStruct(
  'main.Data',
  {
    Name: 'web',
    Count: 3n,
    Ratio: 0.25,
    Zero: 0,
    Yes: true,
    Empty: '',
    Items: ['a', 'b', 'c'],
    None: [],
    Labels: stringMap({ job: 'node', instance: 'h:1' }),
    Any: { x: 1n, nested: { y: 'deep' } },
    At: START,
    Nil: undefined,
  },
  {
    methods: {
      Join: templateFunction(['string', 'string'], (a, b) => `${a}-${b}`),
      Self: templateFunction([], () => DATA),
    },
  },
)

const run = (text: string, options: TemplateOptions = {}, data: GoValue = DATA): Promise<string> =>
  compileTemplate({ name: 't', text }, options).execute(data)

const OUTPUTS: readonly (readonly [string, string])[] = [
  // Text and trimming.
  ['plain', 'plain'],
  ['', ''],
  ['a {{- "b" -}} c', 'abc'],
  ['a {{"b" -}}\n\t c', 'a bc'],
  ['a{{/* note */}}b', 'ab'],
  ['a {{- /* note */ -}} b', 'ab'],
  ['{{- 3}}', '3'],
  ['{{-3}}', '-3'],
  ['{{"{{"}}', '{{'],
  ['{{`raw\\n`}}', 'raw\\n'],
  ['{{"q\\t\\u00e4\\x41\\""}}', 'q\täA"'],
  ['{{/* a */}}\n{{- "x"}}', 'x'],
  // Literals and printing.
  ['{{1}} {{1.0}} {{1e3}} {{0x10}} {{0b11}} {{0o17}} {{1_000}} {{-5}} {{.5}}', '1 1 1000 16 3 15 1000 -5 0.5'],
  ["{{'a'}} {{true}} {{1e6}} {{1e21}} {{1.5e-7}}", '97 true 1e+06 1e+21 1.5e-07'],
  ['{{.Name}} {{.Count}} {{.Ratio}} {{.Yes}}', 'web 3 0.25 true'],
  ['{{.Items}} {{.Labels}} {{.Any}}', '[a b c] map[instance:h:1 job:node] map[nested:map[y:deep] x:1]'],
  ['{{.Labels.job}}|{{.Labels.missing}}|{{.Any.missing}}', 'node||<no value>'],
  ['{{.Any.nested.y}} {{(index .Any "nested").y}}', 'deep deep'],
  ['{{.}}', `{web 3 0.25 0 true  [a b c] [] map[instance:h:1 job:node] map[nested:map[y:deep] x:1] ${START} <nil>}`],
  // Variables and scope.
  ['{{$x := 1}}{{$x}}{{$x = 2}}{{$x}}', '12'],
  ['{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}', '21'],
  ['{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}', '2'],
  ['{{with $x := "v"}}{{$x}}{{.}}{{end}}', 'vv'],
  ['{{range .Items}}{{$.Name}}{{.}} {{end}}', 'weba webb webc '],
  ['{{$x := .Any}}{{$x.nested.y}}', 'deep'],
  // Branches.
  ['{{if .Yes}}y{{else}}n{{end}}{{if .Empty}}y{{else}}n{{end}}{{if .None}}y{{else}}n{{end}}', 'ynn'],
  ['{{if .Empty}}a{{else if .Zero}}b{{else if .Count}}c{{else}}d{{end}}', 'c'],
  ['{{with .Empty}}a{{else}}b{{end}}{{with .Name}}{{.}}{{end}}', 'bweb'],
  ['{{with .Empty}}a{{else with .Name}}{{.}}{{else}}c{{end}}', 'web'],
  ['{{if and .Yes .Count}}1{{end}}{{if or .Empty .Zero}}2{{end}}{{if not .Empty}}3{{end}}', '13'],
  // Loops.
  ['{{range $i, $v := .Items}}{{$i}}={{$v}},{{end}}', '0=a,1=b,2=c,'],
  ['{{range $v := .Items}}{{$v}}{{end}}', 'abc'],
  ['{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}}', 'instance=h:1;job=node;'],
  ['{{range .None}}x{{else}}none{{end}}{{range .Nil}}x{{else}}nil{{end}}', 'nonenil'],
  ['{{range .Items}}{{if eq . "b"}}{{continue}}{{end}}{{.}}{{end}}', 'ac'],
  ['{{range .Items}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}', 'a'],
  ['{{range 3}}{{.}}{{end}}', '012'],
  ['{{$last := ""}}{{range $last = .Items}}{{end}}{{$last}}', 'c'],
  // Pipelines and calls.
  ['{{"x" | printf "%s-%s" "y"}}', 'y-x'],
  ['{{printf "%d%%" .Count | len}}', '2'],
  ['{{.Join "a" "b"}} {{"b" | .Join "a"}} {{.Self.Name}} {{(.Self).Count}}', 'a-b a-b web 3'],
  ['{{and 1 0 2}} {{or 0 "" "x" 2}} {{1 | and 0}} {{1 | or 0}}', '0 x 0 1'],
  [
    '{{eq 1 1}} {{eq "a" "b" "a"}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt 1.5 1.0}} {{ge "a" "b"}}',
    'true true true true true true false',
  ],
  ['{{eq .Nil nil}} {{eq .Name nil}}', 'true false'],
  ['{{len .Items}} {{len "äb"}} {{len .Labels}}', '3 3 2'],
  ['{{index .Items 1}} {{index .Labels "job"}} {{index .Any "nested" "y"}}|{{index .Labels "no"}}', 'b node deep|'],
  ['{{slice .Items 1}} {{slice .Items 0 1}} {{slice "hello" 1 3}}', '[b c] [a] el'],
  ['{{print 1 2 "a" "b" 3}}|{{println 1 "a"}}', '1 2ab3|1 a\n'],
  ['{{html "<a href=\'x\'>&\\""}}', '&lt;a href=&#39;x&#39;&gt;&amp;&#34;'],
  ['{{js "it\'s <b>=\\n"}}', "it\\'s \\u003Cb\\u003E\\u003D\\u000A"],
  ['{{urlquery "a b&c/ä~"}}', 'a+b%26c%2F%C3%A4~'],
  // Templates.
  ['{{define "x"}}[{{.}}]{{end}}{{template "x" .Name}}{{template "x" 1}}', '[web][1]'],
  ['{{block "b" .Name}}<{{.}}>{{end}}', '<web>'],
  ['{{define "x"}}{{$}}{{end}}{{$y := 1}}{{template "x"}}', '<no value>'],
  // Times.
  ['{{.At}}', '2026-11-21 03:04:05.06 +0000 UTC'],
  [
    '{{.At.Format "Mon Jan _2 15:04:05.000 2006 MST -07:00 Z07:00 PM 3 06 002"}}',
    'Sat Nov 21 03:04:05.060 2026 UTC +00:00 Z AM 3 26 325',
  ],
  [
    '{{.At.Unix}} {{.At.Year}} {{.At.Month}} {{printf "%d" .At.Month}} {{.At.Weekday}} {{.At.YearDay}}',
    '1795230245 2026 November 11 Saturday 325',
  ],
  ['{{(.At.Add 90000000000).Format "15:04:05"}} {{(.At.Add 3600000000000).Sub .At}}', '03:05:35 1h0m0s'],
  ['{{(.At.AddDate 0 1 -1).Format "2006-01-02"}} {{.At.Before (.At.Add 1)}}', '2026-12-20 true'],
]

test.each(OUTPUTS)('%j prints %j', async (text, want) => {
  expect(await run(text)).toBe(want)
})

const FORMATS: readonly (readonly [string, string])[] = [
  ['"%v|%s|%q" .Name .Name .Name', 'web|web|"web"'],
  [
    '"%5s|%-5s|%.2s|%05d|%+d|%x|%X|%o|%b|%c|%U" "ab" "ab" "abc" 42 42 255 255 8 5 65 65',
    '   ab|ab   |ab|00042|+42|ff|FF|10|101|A|U+0041',
  ],
  [
    '"%f %.2f %5.1f %-8.3fX %e %g %.3g %G" 1.5 2.345 2.25 1.0 123456.789 1e7 1234.5 1e-7',
    '1.500000 2.35   2.2 1.000   X 1.234568e+05 1e+07 1.23e+03 1E-07',
  ],
  ['"%.0f %.0f %.0f %.1f %.3g" 0.5 1.5 2.5 0.25 2.5', '0 2 2 0.2 2.5'],
  ['"%t %v %d%%" true nil 3', 'true <nil> 3%'],
  ['"%d" 1.5', '%!d(float64=1.5)'],
  ['"%s" 5', '%!s(int=5)'],
  ['"%d %d" 1', '1 %!d(MISSING)'],
  ['"%d" 1 2', '1%!(EXTRA int=2)'],
  ['"%[2]s %[1]s" "a" "b"', 'b a'],
  ['"%*d|%-*d|" 5 1 5 1', '    1|1    |'],
  ['"%T %T %T %T %T" 1 1.5 "s" true .Items', 'int float64 string bool []string'],
  ['"%q %v %s" .Items .Items .Items', '["a" "b" "c"] [a b c] [a b c]'],
  ['"%z %" 1', '%!z(int=1) %!(NOVERB)'],
  ['"%08.3f|%+.1e|% d" -3.14159 12345.678 7', '-003.142|+1.2e+04| 7'],
  ['"%x %X" "hi" "hi"', '6869 6869'],
  ['"%v %+v" .Any .Any', 'map[nested:map[y:deep] x:1] map[nested:map[y:deep] x:1]'],
  ['"%#v %#v" "a" .Items', '"a" []string{"a", "b", "c"}'],
  ['"%s %v" .At .Labels', '2026-11-21 03:04:05.06 +0000 UTC map[instance:h:1 job:node]'],
]

test.each(FORMATS)('printf %s prints %j', async (args, want) => {
  expect(await run(`{{printf ${args}}}`)).toBe(want)
})

const PARSE_ERRORS: readonly (readonly [string, string])[] = [
  ['{{', 'template: t:1: unclosed action'],
  ['\n{{if}}{{end}}', 'template: t:2: missing value for if'],
  ['{{if true}}', 'template: t:1: unexpected EOF'],
  ['{{end}}', 'template: t:1: unexpected {{end}}'],
  ['{{else}}', 'template: t:1: unexpected {{else}}'],
  ['{{nope 1}}', 'template: t:1: function "nope" not defined'],
  ['{{$x}}', 'template: t:1: undefined variable "$x"'],
  ['{{"open}}', 'template: t:1: unterminated quoted string'],
  ['{{(1}}', 'template: t:1: unclosed left paren'],
  ['{{1)}}', 'template: t:1: unexpected right paren'],
  ['{{/* open }}', 'template: t:1: unclosed comment'],
  ['{{1 | 2}}', 'template: t:1: non executable command in pipeline stage 2'],
  ['{{1 |}}', 'template: t:1: missing value for command'],
  ['{{break}}', 'template: t:1: {{break}} outside {{range}}'],
  ['{{range .Items}}{{define "x"}}{{end}}{{end}}', 'template: t:1: unexpected <define> in command'],
  ['{{define "x"}}a{{end}}{{define "x"}}b{{end}}', 'template: t:1: template: multiple definition of template "x"'],
  ['{{3x}}', 'template: t:1: bad number syntax: "3x"'],
  ['{{"a".b}}', 'template: t:1: unexpected . after term "\\"a\\""'],
  ['{{.a@b}}', "template: t:1: bad character U+0040 '@'"],
  ['{{$a, $b := .Items}}', 'template: t:1: too many declarations in command'],
]

test.each(PARSE_ERRORS)('%j is refused: %s', (text, want) => {
  expect(() => compileTemplate({ name: 't', text })).toThrow(want)
})

const EXEC_ERRORS: readonly (readonly [string, string])[] = [
  ['{{.Nope}}', `template: t:1:2: executing "t" at <.Nope>: can't evaluate field Nope in type main.Data`],
  ['\nä {{.Name.Sub}}', `template: t:2:10: executing "t" at <.Name.Sub>: can't evaluate field Sub in type string`],
  ['{{template "no"}}', 'template: t:1:11: executing "t" at <{{template "no"}}>: template "no" not defined'],
  [
    '{{index .Items 9}}',
    'template: t:1:2: executing "t" at <index .Items 9>: error calling index: index out of range: 9',
  ],
  [
    '{{eq .Zero 0}}',
    'template: t:1:2: executing "t" at <eq .Zero 0>: error calling eq: incompatible types for comparison',
  ],
  ['{{lt .Items 0}}', 'error calling lt: invalid type for comparison'],
  ['{{len 3}}', 'error calling len: len of type int'],
  ['{{.Join "a"}}', 'at <.Join>: wrong number of args for Join: want 2 got 1'],
  ['{{.Join 1 "b"}}', 'at <1>: expected string; found 1'],
  ['{{.Join .Count "b"}}', 'at <.Count>: wrong type for value; expected string; got int'],
  ['{{.Name "x"}}', 'at <.Name>: Name has arguments but cannot be invoked as function'],
  ['{{1 "x"}}', "can't give argument to non-function 1"],
  ['{{nil}}', 'nil is not a command'],
  ['{{range "abc"}}{{end}}', `range can't iterate over abc`],
  ['{{.Any.missing.deeper}}', 'nil pointer evaluating interface {}.deeper'],
  ['{{define "r"}}{{template "r"}}{{end}}{{template "r"}}', 'exceeded maximum template depth (100)'],
  ['{{range 100000}}{{end}}', 'template runs for too many steps'],
]

test.each(EXEC_ERRORS)('%j stops: %s', async (text, want) => {
  await expect(run(text, { limits: { stepsMax: 10_000 } })).rejects.toThrow(want)
})

test.each(['('.repeat(100_000), '{{if true}}'.repeat(100_000), '{{if true}}{{else if true}}'.repeat(50_000)])(
  'nesting without end is refused, not a stack overflow (%#)',
  (text) => {
    const whole = text.startsWith('(') ? `{{${text}` : text
    expect(() => compileTemplate({ name: 't', text: whole })).toThrow('nested too deeply')
  },
)

test('output beyond its limit is refused', async () => {
  await expect(run('{{range 100}}0123456789{{end}}', { limits: { outputLengthMax: 500 } })).rejects.toThrow('too long')
  await expect(run('{{range 100}}{{$.Items}}{{end}}', { limits: { outputLengthMax: 500 } })).rejects.toThrow('too long')
})

test('a set: later sources replace definitions, an empty one does not, compile leaves the set alone', async () => {
  const set = parseTemplates([
    { name: 'a.tmpl', text: '{{define "x"}}one{{end}}{{define "y"}}Y{{end}}' },
    { name: 'b.tmpl', text: '{{define "x"}}two{{end}}{{define "y"}} {{end}}' },
  ])
  expect(set.names).toEqual(['x', 'y', 'a.tmpl', 'b.tmpl'])
  expect(await set.execute('x', undefined)).toBe('two')
  expect(await set.execute('y', undefined)).toBe('Y')
  const own = set.compile({ name: '', text: '{{define "x"}}own{{end}}{{template "x"}}{{template "y"}}' })
  expect(await own.execute(undefined)).toBe('ownY')
  expect(await set.execute('x', undefined)).toBe('two')
  await expect(set.execute('nope', undefined)).rejects.toThrow('no template "nope"')
  expect(await set.compile({ name: 'x', text: '' }).execute(undefined)).toBe('')
})

test('asynchronous functions: asked once per arguments, errors carry the place', async () => {
  const asked: string[] = []
  const functions = {
    ask: asyncFunction(['string'], async (question) => {
      asked.push(question)
      if (question === 'bad') throw new Error('no answer')
      return [`${question}!`]
    }),
  }
  const text = '{{range ask "a"}}{{.}}{{range ask "b"}}{{.}}{{end}}{{end}}{{range ask "a"}}{{.}}{{end}}'
  expect(await run(text, { functions })).toBe('a!b!a!')
  expect(asked).toEqual(['a', 'b'])
  await expect(run('{{ask "bad"}}', { functions })).rejects.toThrow(
    'template: t:1:2: executing "t" at <ask "bad">: error calling ask: no answer',
  )
  const many = '{{range $i := 50}}{{ask (print $i)}}{{end}}'
  await expect(run(many, { functions, limits: { asyncCallsMax: 10 } })).rejects.toThrow('too many queries')
})
