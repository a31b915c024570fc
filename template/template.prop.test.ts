import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileTemplate, TemplateExecError, TemplateParseError } from './index.ts'

const piece = fc.constantFrom(
  ...'{{ }} {{- -}} ( ) | . .a $x $ := = , "s" `r` 1 1.5 -2 true nil if else end range with define template block break continue /* */ eq len printf index and or not'.split(
    ' ',
  ),
  ' ',
  '\n',
  '"x"',
)
const soup = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''))
const action = fc.array(piece, { maxLength: 10 }).map((pieces) => `{{ ${pieces.join(' ')} }}`)

const DATA = { a: [1n, 'two', { a: 3 }], b: 'text' }

test('any text either runs or is refused with a template error, and stays within its limits', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(soup, action, fc.string()), async (text) => {
      try {
        const template = compileTemplate({ name: 't', text }, { limits: { stepsMax: 1000, outputLengthMax: 10_000 } })
        expect((await template.execute(DATA)).length).toBeLessThanOrEqual(10_000)
      } catch (error) {
        if (!(error instanceof TemplateParseError) && !(error instanceof TemplateExecError)) throw error
      }
    }),
    { numRuns: 3000 },
  )
})

test('text without braces is printed as it is, also in HTML mode after escaping', async () => {
  const plain = fc.string().filter((text) => !text.includes('{{'))
  await fc.assert(
    fc.asyncProperty(plain, async (text) => {
      expect(await compileTemplate({ name: 't', text }).execute(undefined)).toBe(text)
      const html = compileTemplate({ name: 't', text: '<p title="{{ . }}">{{ . }}</p>' }, { mode: 'html' })
      const out = await html.execute(text)
      expect(out.match(/[<>]/g)?.join('')).toBe('<><>')
      expect(out.match(/"/g)).toHaveLength(2)
    }),
  )
})

test('printf rounds exact halves to even and agrees with JavaScript elsewhere', async () => {
  const template = compileTemplate({ name: 't', text: '{{ printf "%.2f %.3e" . . }}' })
  await fc.assert(
    fc.asyncProperty(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }), async (value) => {
      const [fixed, exponent] = (await template.execute(value)).split(' ')
      expect(Math.abs(Number(fixed) - value)).toBeLessThanOrEqual(Math.max(0.005, Math.abs(value) * 1e-15))
      expect(Math.abs(Number(exponent) - value)).toBeLessThanOrEqual(Math.abs(value) * 0.0005 + 1e-300)
    }),
  )
})
