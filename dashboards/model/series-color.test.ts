import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assignColors, type ColorMeaning, labelKey, meaningColor, PALETTE_SIZE, paletteColor } from './series-color.ts'

function luminance(hex: string): number {
  const channel = (at: number) => {
    const c = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  }
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}
const contrast = (a: string, b: string) => {
  const [high, low] = [luminance(a), luminance(b)].sort((p, q) => q - p) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

describe('contrast against the panel is at least 3:1', () => {
  for (const [theme, panel] of [
    ['light', '#ffffff'],
    ['dark', '#14181f'],
  ] as const) {
    for (let i = 0; i < PALETTE_SIZE; i++) {
      test(`${theme} ${i}`, () => expect(contrast(paletteColor(i, theme), panel)).toBeGreaterThanOrEqual(3))
    }
    for (const meaning of ['ok', 'warn', 'crit', 'info', 'calm'] satisfies ColorMeaning[]) {
      test(`${theme} ${meaning}`, () => expect(contrast(meaningColor(meaning, theme), panel)).toBeGreaterThanOrEqual(3))
    }
  }
})

test('a series keeps its colour whatever the order of labels and answers', () => {
  expect(labelKey({ b: '2', a: '1' })).toBe(labelKey({ a: '1', b: '2' }))
  const keys = ['a', 'b', 'c', 'd', 'e']
  const forward = assignColors(keys)
  expect(assignColors([...keys].reverse())).toEqual([...forward].reverse())
})

test('up to the palette’s size no two series of a panel share a hue', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { maxLength: PALETTE_SIZE }), (keys) => {
      expect(new Set(assignColors(keys)).size).toBe(keys.length)
    }),
  )
})
