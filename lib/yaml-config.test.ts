import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ConfigError, parseConfig } from './yaml-config.ts'

const schema = z.strictObject({
  name: z.string(),
  port: z.number().optional(),
  on: z.boolean().optional(),
  list: z.array(z.strictObject({ kind: z.enum(['a', 'b']) })).optional(),
  either: z.union([z.number(), z.strictObject({ x: z.number() })]).optional(),
})

function faults(text: string): readonly string[] {
  try {
    parseConfig('f.yml', text, schema)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}

describe('strict YAML', () => {
  test('every fault has its line and column', () => {
    expect(faults('name: 1.10\nport: x\nlist:\n  - kind: a\n  - kind: c\nmore: 1\n')).toEqual([
      expect.stringMatching(/^f\.yml:2:1: port: .*number/),
      expect.stringMatching(/^f\.yml:5:5: list\.1\.kind: /),
      'f.yml:6:1: more: unknown key',
    ])
  })

  test.each([
    ['name: a\nname: b\n', /^f\.yml:2:1: .*unique/],
    ['name: [a\n', /^f\.yml:\d+:\d+: /],
    ['name: *missing\n', /^f\.yml:1:\d+: .*missing/],
    ['name: a\neither: { y: 1 }\n', /^f\.yml:2:\d+: either/],
  ])('%j', (text, want) => expect(faults(text)[0]).toMatch(want))

  test('a plain scalar is what the schema wants it to be, as Go reads it', () => {
    expect(parseConfig('f.yml', 'name: 1.10\non: yes', schema).value).toEqual({ name: '1.10', on: true })
    expect(faults('name: a\nport: "5"')).toHaveLength(1)
  })

  test('aliases are fine, bombs are not', () => {
    expect(parseConfig('f.yml', 'name: &n abc\nlist: []', schema).value.name).toBe('abc')
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
      .split('')
      .map((name, i) => `${name}: &${name} [${Array(10).fill(`*${'abcdefgh'[i]}`).join(',')}]`)
      .join('\n')}`
    expect(faults(bomb)[0]).toMatch(/alias/i)
  })

  test('a fault can be named by path after parsing', () => {
    const parsed = parseConfig('f.yml', 'name: a\nlist:\n  - kind: b\n', schema)
    expect(parsed.fault(['list', 0, 'kind'], 'no')).toBe('f.yml:3:5: list.0.kind: no')
    expect(parsed.fault(['list', 7], 'no')).toBe('f.yml:2:1: list.7: no')
  })
})
