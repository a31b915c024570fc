import { computed, effect, signal } from '@preact/signals'
import type { Theme } from '../../model/series-color.ts'
import { readStorage, writeStorage } from './storage.ts'

export type ThemeChoice = Theme | 'auto'

const STORAGE_KEY = 'belltower.theme'
const systemDark = matchMedia('(prefers-color-scheme: dark)')
const systemTheme = signal<Theme>(systemDark.matches ? 'dark' : 'light')
systemDark.addEventListener('change', () => {
  systemTheme.value = systemDark.matches ? 'dark' : 'light'
})

export const themeChoice = signal<ThemeChoice>(storedChoice())
/** The theme in force; canvases take their colours by it. */
export const theme = computed<Theme>(() => (themeChoice.value === 'auto' ? systemTheme.value : themeChoice.value))

effect(() => {
  const choice = themeChoice.value
  const { dataset } = document.documentElement
  if (choice === 'auto') delete dataset.theme
  else dataset.theme = choice
  writeStorage(STORAGE_KEY, choice === 'auto' ? undefined : choice)
})

function storedChoice(): ThemeChoice {
  const stored = readStorage(STORAGE_KEY)
  return stored === 'light' || stored === 'dark' ? stored : 'auto'
}
