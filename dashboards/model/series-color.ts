// A series keeps its colour on every panel, page and day: it follows from its labels, not from its place in an answer.
import type { LabelSet } from './frame.ts'

export type Theme = 'light' | 'dark'

/** Twelve hues, each at least 3:1 against the panel of its theme. Neighbours differ in hue and lightness. */
const PALETTE: readonly { readonly light: string; readonly dark: string }[] = [
  { light: '#2563c9', dark: '#6ea8fe' },
  { light: '#c2560c', dark: '#f6a04d' },
  { light: '#0b7f77', dark: '#3cc9b8' },
  { light: '#b3246b', dark: '#f47fb5' },
  { light: '#5f7d0a', dark: '#b5d334' },
  { light: '#6d3fc0', dark: '#b197fc' },
  { light: '#a8740a', dark: '#e8c547' },
  { light: '#0a7aa6', dark: '#4cc3ef' },
  { light: '#a13a2b', dark: '#f08a7b' },
  { light: '#2c7d3a', dark: '#6fcf7c' },
  { light: '#8b3fa3', dark: '#db8bf0' },
  { light: '#59677a', dark: '#a9b6c8' },
]
export const PALETTE_SIZE = PALETTE.length

/** Colours with a meaning, for boards that name them. */
const MEANINGS = {
  ok: { light: '#2c7d3a', dark: '#5fc46d' },
  warn: { light: '#a8740a', dark: '#e3b341' },
  crit: { light: '#c62828', dark: '#ff7b72' },
  info: { light: '#0a7aa6', dark: '#4cc3ef' },
  calm: { light: '#59677a', dark: '#a9b6c8' },
} as const
export type ColorMeaning = keyof typeof MEANINGS

export function paletteColor(index: number, theme: Theme): string {
  return PALETTE[index % PALETTE_SIZE]![theme]
}

export function meaningColor(meaning: ColorMeaning, theme: Theme): string {
  return MEANINGS[meaning][theme]
}

/** One text per label set, whatever the order of its names. */
export function labelKey(labels: LabelSet): string {
  return Object.keys(labels)
    .sort()
    .map((name) => `${name}\u0000${labels[name]}`)
    .join('\u0001')
}

/**
 * Palette index of each key. The hash decides; two keys of one panel with the same hash are told apart by moving the later
 * one (in key order, so the answer's order does not matter) to the next free hue.
 */
export function assignColors(keys: readonly string[]): number[] {
  const taken = new Set<number>()
  const indexes = new Map<string, number>()
  for (const key of [...new Set(keys)].sort()) {
    let index = hashText(key) % PALETTE_SIZE
    if (taken.size < PALETTE_SIZE) while (taken.has(index)) index = (index + 5) % PALETTE_SIZE
    taken.add(index)
    indexes.set(key, index)
  }
  return keys.map((key) => indexes.get(key)!)
}

/** FNV-1a over UTF-16 units, mixed once more so that low bits are even. */
function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i)
    hash = Math.imul(hash, 0x01000193)
  }
  hash ^= hash >>> 15
  return Math.imul(hash, 0x2c1b3c6d) >>> 0
}
