import { expect, test } from 'vitest'
import { normalizeBucketBound } from '../../model/index.ts'
import { hasProgram } from '../../tests/support/programs.ts'
import { type ScrapedPage, scrapedByBoth, type ServedPage } from '../../tests/support/scraped-by-both.ts'

// Generated pages, served to the real Prometheus and to this scraper: the same series with the same bits, the same pages refused.

const hasPeer = hasProgram('prometheus')
if (!hasPeer) console.log('skipped: no prometheus on PATH (Debian: apt install prometheus)')
const PAGE_COUNT = Number(process.env.BELLTOWER_DIFF_PAGES ?? 1000)
const SEED = Number(process.env.BELLTOWER_SEED ?? 20_231)

const TEXT = 'text/plain; version=0.0.4; charset=utf-8'
const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/** A small generator, so that a seed gives the same pages everywhere. */
function randomOf(seed: number) {
  let state = seed >>> 0
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    // The low bits of this generator are poor.
    return (state >>> 8) / 2 ** 24
  }
  const below = (count: number): number => Math.floor(next() * count)
  return {
    next,
    below,
    pick: <T>(list: readonly T[]): T => list[below(list.length)]!,
    chance: (p: number) => next() < p,
  }
}
type Random = ReturnType<typeof randomOf>

const NAMES = ['a', 'http_requests_total', '_x', ':colon:', 'a:b_c', 'Z9', 'up', 'go_gc_duration_seconds', 'nan', 'inf']
const LABELS = ['l', 'le', 'quantile', 'job', 'instance', '__x', '_', 'exported_job', 'a1']
const TEXTS = [
  '',
  'x',
  '1',
  '0.5',
  '+Inf',
  'ü€𝄞',
  '\\\\',
  '\\"',
  '\\n',
  '\\q',
  'a,b',
  '}',
  ' sp ace ',
  '\t',
  '#',
  '\u0000',
  '{}=',
]
const ODD_VALUES = [
  'NaN nan +Inf -Inf Inf inf -infinity +NaN 0 -0 +1 00012 1. .5 -.5e-3 1e 1e5 1E+05 1e309 -1e309 1e-400',
  '4.9e-324 2.2250738585072011e-308 9007199254740993 18446744073709551615 1_000 0x10 0x1p-2 1,5 1..2',
  '--1 foo 1.7976931348623157e308 1.7976931348623159e308 0b1 １ 123456789012345678901234567890',
  '0.1000000000000000055511151231257827 8.41e21 5e-324 3e-324 ٣',
].flatMap((line) => line.split(' '))

function digits(random: Random, count: number): string {
  return Array.from({ length: count }, () => random.below(10)).join('')
}

function value(random: Random): string {
  if (random.chance(0.2)) return random.pick(ODD_VALUES)
  const sign = random.chance(0.2) ? '-' : ''
  const whole = digits(random, 1 + random.below(random.chance(0.1) ? 25 : 8))
  const part = random.chance(0.6) ? `.${digits(random, 1 + random.below(random.chance(0.1) ? 25 : 9))}` : ''
  const exponent = random.chance(0.2)
    ? `e${random.pick(['', '+', '-'])}${random.below(random.chance(0.2) ? 340 : 30)}`
    : ''
  return sign + whole + part + exponent
}

const blank = (random: Random, plain: string): string =>
  random.chance(0.03) ? random.pick(['', ' ', '  ', '\t', ' \t ']) : plain

function sampleLine(random: Random, isOpenMetrics: boolean): string {
  const labels = Array.from({ length: random.below(4) }, () => {
    const equals = `${blank(random, '')}=${blank(random, '')}`
    return `${blank(random, '')}${random.pick(LABELS)}${equals}"${random.pick(TEXTS)}"${blank(random, '')}`
  })
  const comma = random.chance(0.05) ? random.pick([',', ',,', ' ,']) : ''
  const braces = labels.length > 0 || random.chance(0.1) ? `{${labels.join(',')}${comma}}` : ''
  const time = random.chance(0.1)
    ? `${blank(random, ' ')}${random.pick(isOpenMetrics ? ['1', '1.5', '1e3', '-2', 'NaN', 'x', '1700000000.123'] : ['1', '-5', '1.5', '1700000000123', 'x', '1e3'])}`
    : ''
  const exemplar =
    isOpenMetrics && random.chance(0.1)
      ? random.pick([' # {t="x"} 1', ' # {} 0.5 1.5', ' # {t="x"} 1 2 3', ' # t 1', '# {t="x"} 1', ' # {t="x",} NaN'])
      : ''
  const end = random.chance(0.02) ? random.pick([' ', '\t', '\r', ' x']) : ''
  return `${blank(random, '')}${random.pick(NAMES)}${blank(random, '')}${braces}${blank(random, ' ')}${value(random)}${time}${exemplar}${end}`
}

function commentLine(random: Random, isOpenMetrics: boolean): string {
  const name = random.pick(NAMES)
  const types = [
    'counter',
    'gauge',
    'histogram',
    'summary',
    isOpenMetrics ? 'unknown' : 'untyped',
    'info',
    'Counter',
    '',
  ]
  return random.pick([
    `# TYPE ${name} ${random.chance(0.9) ? types[random.below(5)]! : random.pick(types)}`,
    `# HELP ${name} ${random.pick(['text', 'with \\\\ and \\n', '', 'ü "quoted"', 'tab\there'])}`,
    ...(isOpenMetrics
      ? [`# UNIT ${name} ${random.pick(['', 'seconds', 'x'])}`]
      : [
          '# a remark',
          '#',
          '#!x',
          '# TYPE',
          '# HELP',
          ' \t# indented',
          `#\tTYPE ${name} gauge`,
          `#TYPE ${name} gauge`,
        ]),
  ])
}

function page(random: Random): ServedPage {
  const isOpenMetrics = random.chance(0.4)
  const lines = Array.from({ length: 1 + random.below(9) }, () =>
    random.chance(0.25) ? commentLine(random, isOpenMetrics) : sampleLine(random, isOpenMetrics),
  )
  if (random.chance(0.04)) lines.splice(random.below(lines.length), 0, '')
  let text = lines.join('\n')
  if (isOpenMetrics) {
    text += random.chance(0.95) ? '\n# EOF' : random.pick(['', '\n# EOF\n\n', '\n# EOF ', '\n# EOF\n# EOF', '\n#EOF'])
  }
  if (random.chance(0.9)) text += random.chance(0.97) ? '\n' : '\r\n'
  const body = Buffer.from(text)
  if (random.chance(0.01)) body[random.below(body.length)] = 0xff
  return { contentType: isOpenMetrics ? OPENMETRICS : TEXT, body }
}

/** Where the two differ on purpose. */
const DIFFERENCES: readonly {
  readonly why: string
  applies(page: string, theirs: ScrapedPage, ours: ScrapedPage): boolean
}[] = [
  {
    why: '2.42 takes blanks before a name as a part of it and then refuses the name',
    applies: (page, theirs) => /^[ \t]+[a-zA-Z_:]/m.test(page) && theirs.lastError.startsWith('invalid metric name'),
  },
  {
    why: '2.42 overlooks a label that is named twice if a label of the target replaces it, or if it is empty',
    applies: (_page, _theirs, ours) => ours.lastError.endsWith('is not unique'),
  },
  {
    why: '2.42 allows exemplars behind _total and _bucket only, 3 behind everything',
    applies: (_page, theirs) => theirs.lastError.endsWith('does not support exemplars'),
  },
  {
    why: '2.42 allows no comma behind the last label of an OpenMetrics page',
    applies: (_page, theirs) => theirs.lastError.endsWith('expected label name, got "BCLOSE"'),
  },
]

const describe = (page: ServedPage, theirs: ScrapedPage, ours: ScrapedPage): string =>
  `${page.contentType.split(';', 1)[0]} ${JSON.stringify(Buffer.from(page.body).toString())}\n` +
  `  theirs: ${theirs.up ? `up ${[...theirs.series].join(' | ')}` : theirs.lastError}\n` +
  `  ours:   ${ours.up ? `up ${[...ours.series].join(' | ')}` : ours.lastError}`

/** Version 3 writes bounds of histograms and summaries as numbers with a point: the older one keeps them as they came. */
function withBounds(series: ReadonlyMap<string, number>): Map<string, number> {
  const normal = new Map<string, number>()
  for (const [key, number] of series) {
    const pairs = (JSON.parse(key) as [string, string][]).map(([name, text]): [string, string] => [
      name,
      name === 'le' || name === 'quantile' ? normalizeBucketBound(text) : text,
    ])
    if (!normal.has(JSON.stringify(pairs))) normal.set(JSON.stringify(pairs), number)
  }
  return normal
}

function isSame(theirs: ScrapedPage, ours: ScrapedPage): boolean {
  if (theirs.up !== ours.up) return false
  const [a, b] = [withBounds(theirs.series), withBounds(ours.series)]
  return a.size === b.size && [...a].every(([key, number]) => b.has(key) && Object.is(number, b.get(key)))
}

test.skipIf(!hasPeer)(
  `${PAGE_COUNT} generated pages, seed ${SEED}`,
  async () => {
    const random = randomOf(SEED)
    const pages = Array.from({ length: PAGE_COUNT }, () => page(random))
    const { theirs, ours } = await scrapedByBoth(pages)
    const different = pages.flatMap((one, i) => {
      if (isSame(theirs[i]!, ours[i]!)) return []
      const text = Buffer.from(one.body).toString()
      if (DIFFERENCES.some((one) => one.applies(text, theirs[i]!, ours[i]!))) return []
      return [describe(one, theirs[i]!, ours[i]!)]
    })
    const accepted = theirs.filter(({ up }) => up).length
    // Neither side refuses, nor takes, everything.
    expect(accepted).toBeGreaterThan(PAGE_COUNT / 10)
    expect(accepted).toBeLessThan(PAGE_COUNT)
    expect(different.length, different.slice(0, 25).join('\n')).toBe(0)
  },
  180_000,
)
