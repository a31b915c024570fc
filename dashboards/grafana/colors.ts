// Colours by the names boards use, in the shades of the theme; scales between two or more of them.
import type { Theme } from '../model/series-color.ts'

type Shades = readonly [superLight: string, light: string, base: string, semiDark: string, dark: string]
const HUES: Readonly<Record<string, Shades>> = {
  red: ['#ffb3ad', '#ff8a85', '#f2564f', '#dd3b3b', '#b8262b'],
  orange: ['#ffcf9e', '#ffb169', '#f9963b', '#ea7a1a', '#d05f0a'],
  yellow: ['#fff3ab', '#fde56f', '#f2cf3a', '#dcb31a', '#b98f0a'],
  green: ['#bfe8ba', '#92d48d', '#62b963', '#45a049', '#2f8136'],
  blue: ['#bdd9ff', '#8cb9fb', '#5a93ee', '#3d78d8', '#2560bb'],
  purple: ['#dfc5f5', '#c99cec', '#b176dd', '#975ac9', '#7d43ae'],
}
const SHADE_PREFIXES = ['super-light-', 'light-', '', 'semi-dark-', 'dark-']
const WORDS: Readonly<Record<string, { light: string; dark: string }>> = {
  text: { light: '#161b22', dark: '#e8ebf0' },
  transparent: { light: 'rgba(0, 0, 0, 0)', dark: 'rgba(0, 0, 0, 0)' },
  panel: { light: '#ffffff', dark: '#14181f' },
  black: { light: '#000000', dark: '#000000' },
  white: { light: '#ffffff', dark: '#ffffff' },
  gray: { light: '#6a7480', dark: '#9aa4b2' },
  grey: { light: '#6a7480', dark: '#9aa4b2' },
}

/** What a board's colour is drawn as: its named shades, `#hex`, `rgb(…)`, `hsl(…)`; anything else becomes grey. */
export function resolveColor(name: string, theme: Theme): string {
  const trimmed = name.trim().toLowerCase()
  const word = WORDS[trimmed]
  if (word !== undefined) return word[theme]
  for (let i = SHADE_PREFIXES.length - 1; i >= 0; i--) {
    const prefix = SHADE_PREFIXES[i]!
    const hue = trimmed.startsWith(prefix) ? HUES[trimmed.slice(prefix.length)] : undefined
    // The middle shade is for dark ground; on light ground the next darker one reads better.
    if (hue !== undefined) return hue[theme === 'light' ? Math.min(4, i + 1) : i]!
  }
  if (/^#(?:[\da-f]{3,4}|[\da-f]{6}|[\da-f]{8})$/.test(trimmed)) return trimmed
  if (/^(?:rgb|hsl)a?\([\d\s.,%/-]+\)$/.test(trimmed)) return trimmed
  if (/^[a-z]{3,20}$/.test(trimmed)) return trimmed
  return WORDS.gray![theme]
}

const SCALES: Readonly<Record<string, readonly string[]>> = {
  'continuous-GrYlRd': ['green', 'yellow', 'red'],
  'continuous-RdYlGr': ['red', 'yellow', 'green'],
  'continuous-BlYlRd': ['dark-blue', 'super-light-yellow', 'dark-red'],
  'continuous-YlRd': ['super-light-yellow', 'dark-red'],
  'continuous-BlPu': ['dark-blue', 'super-light-purple'],
  'continuous-YlBl': ['super-light-yellow', 'dark-blue'],
  'continuous-blues': ['panel', 'dark-blue'],
  'continuous-reds': ['panel', 'dark-red'],
  'continuous-greens': ['panel', 'dark-green'],
  'continuous-purples': ['panel', 'dark-purple'],
  'continuous-viridis': ['#440154', '#31688e', '#35b779', '#fde725'],
  'continuous-magma': ['#000004', '#721f81', '#f1605d', '#fcfdbf'],
  'continuous-plasma': ['#0d0887', '#9c179e', '#ed7953', '#f0f921'],
  'continuous-inferno': ['#000004', '#781c6d', '#ed6925', '#fcffa4'],
  'continuous-cividis': ['#00204d', '#575c6d', '#a69c75', '#ffea46'],
}

/** Colour of a share 0–1 of a continuous scale, `undefined` for modes that are none. */
export function scaleColor(mode: string, share: number, theme: Theme): string | undefined {
  const stops = SCALES[mode]
  return stops === undefined
    ? undefined
    : mixStops(
        stops.map((stop) => resolveColor(stop, theme)),
        share,
      )
}

const HEAT_SCHEMES: Readonly<Record<string, { light: readonly string[]; dark: readonly string[] }>> = {
  Oranges: { light: ['#fff3e3', '#fdbd74', '#ec6c12', '#8f3203'], dark: ['#1d1510', '#7a3608', '#e6731a', '#ffe0b3'] },
  Blues: { light: ['#eef5fd', '#93c0ea', '#2b73bd', '#0a3163'], dark: ['#0f1722', '#153f73', '#3c86d4', '#d3e8ff'] },
  Greens: { light: ['#eef8ec', '#98d394', '#2d9147', '#053f1b'], dark: ['#0f1a12', '#11502a', '#3fa65a', '#d8f5d5'] },
  Reds: { light: ['#fff0ea', '#fca184', '#dc3429', '#69000f'], dark: ['#1e1112', '#7c1316', '#ea4335', '#ffd8c9'] },
  Purples: { light: ['#f5f2fa', '#bcb7db', '#7462ab', '#3c0a78'], dark: ['#16131d', '#43307a', '#8a74ca', '#e9e3fa'] },
  Greys: { light: ['#f6f6f6', '#bdbdbd', '#636363', '#101010'], dark: ['#16191e', '#474d57', '#98a1ae', '#f2f4f7'] },
  Spectral: { light: ['#3288bd', '#99d594', '#fee08b', '#d53e4f'], dark: ['#3288bd', '#99d594', '#fee08b', '#d53e4f'] },
  RdYlGn: { light: ['#1a9850', '#d9ef8b', '#fee08b', '#d73027'], dark: ['#1a9850', '#d9ef8b', '#fee08b', '#d73027'] },
  Turbo: {
    light: ['#30123b', '#28bceb', '#a4fc3c', '#fb7e21', '#7a0403'],
    dark: ['#30123b', '#28bceb', '#a4fc3c', '#fb7e21', '#7a0403'],
  },
  Viridis: { light: ['#440154', '#31688e', '#35b779', '#fde725'], dark: ['#440154', '#31688e', '#35b779', '#fde725'] },
}

/** Colours of a heat map from nothing to most, as `[r, g, b]`, `count` of them. */
export function heatColors(scheme: string, theme: Theme, count: number, reverse: boolean): [number, number, number][] {
  const stops = (HEAT_SCHEMES[scheme] ?? HEAT_SCHEMES.Oranges!)[theme]
  const ordered = reverse ? [...stops].reverse() : stops
  return Array.from({ length: count }, (_, i) => mixRgb(ordered, count === 1 ? 1 : i / (count - 1)))
}

function mixStops(stops: readonly string[], share: number): string {
  return `rgb(${mixRgb(stops, share).join(', ')})`
}

function mixRgb(stops: readonly string[], share: number): [number, number, number] {
  const place = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0)) * (stops.length - 1)
  const low = Math.min(stops.length - 2, Math.floor(place))
  const [from, to] = [hexParts(stops[low]!), hexParts(stops[low + 1]!)]
  const mix = (i: 0 | 1 | 2) => Math.round(from[i] + (to[i] - from[i]) * (place - low))
  return [mix(0), mix(1), mix(2)]
}

/** Red, green and blue of `#rgb` or `#rrggbb`; grey for other notations. */
export function hexParts(color: string): [number, number, number] {
  const long = /^#[\da-f]{3}$/i.test(color) ? color.replaceAll(/[\da-f]/gi, '$&$&') : color
  const parts = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})/i.exec(long)
  if (parts !== null) return [1, 2, 3].map((i) => Number.parseInt(parts[i]!, 16)) as [number, number, number]
  const plain = /^rgba?\((\d+)[,\s]+(\d+)[,\s]+(\d+)/.exec(color)
  return plain === null ? [128, 128, 128] : [Number(plain[1]), Number(plain[2]), Number(plain[3])]
}

/** Black or white, whichever can be read on a ground of this colour. */
export function readableOn(color: string): string {
  const [r, g, b] = hexParts(color).map((part) => {
    const share = part / 255
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  const luminance = 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
  return luminance > 0.18 ? '#10141a' : '#ffffff'
}
