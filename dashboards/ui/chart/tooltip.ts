// The tooltip's content and place. Everything in it is set as text: label values come from anywhere.
import { nearestIndex } from '../../model/frame.ts'
import { formatInstant } from '../shell/format.ts'
import type { ChartContent } from './chart-host.ts'

const ROWS_MAX = 12
const NAME_MAX = 300
const OFFSET_PX = 14

// One for the page, outside of all panels: nothing can clip it.
const element = textElement('div', 'tooltip', '')
element.hidden = true
let shownFor: string | undefined

export function hideTooltip(panelId: string): void {
  if (shownFor === panelId) element.hidden = true
}

export interface TooltipRow {
  readonly color: string
  readonly name: string
  readonly text: string
}

/** Lists the series at the instant nearest to `atMs`, largest first. */
export function showTooltip(panelId: string, content: ChartContent, names: readonly string[], atMs: number): void {
  const { frame, styles, zone } = content
  const i = nearestIndex(frame.x, atMs)
  const rows = frame.ys
    .map((y, series) => ({ series, value: i < 0 ? Number.NaN : y[i]! }))
    .filter(({ series, value }) => styles[series]?.visible && !Number.isNaN(value))
    .sort((a, b) => b.value - a.value)
    .map(({ series, value }) => ({
      color: styles[series]!.color,
      name: names[series] ?? '',
      text: styles[series]!.format(value),
    }))
  showRows(panelId, formatInstant(i < 0 ? atMs : frame.x[i]!, zone), rows)
}

/** @param rows in the order to be shown; the first dozen are */
export function showRows(panelId: string, head: string, rows: readonly TooltipRow[]): void {
  const list = rows.slice(0, ROWS_MAX).map(({ color, name, text }) => {
    const row = textElement('div', 'tooltip-row', '')
    const swatch = textElement('span', 'swatch', '')
    swatch.style.background = color
    row.append(
      swatch,
      textElement('span', 'tooltip-name', name.slice(0, NAME_MAX)),
      textElement('span', 'num', text.slice(0, NAME_MAX)),
    )
    return row
  })
  const rest = rows.length - list.length
  const more = rows.length === 0 ? 'no value here' : rest > 0 ? `and ${rest} more` : undefined
  if (!element.isConnected) document.body.append(element)
  shownFor = panelId
  element.hidden = false
  element.replaceChildren(
    textElement('div', 'tooltip-time', head.slice(0, NAME_MAX)),
    ...list,
    ...(more === undefined ? [] : [textElement('div', 'tooltip-more', more)]),
  )
}

/** Beside the pointer, on the side where there is room. */
export function placeTooltip(clientX: number, clientY: number): void {
  const { offsetWidth: width, offsetHeight: height } = element
  const right = clientX + OFFSET_PX + width < innerWidth
  const left = right ? clientX + OFFSET_PX : Math.max(4, clientX - OFFSET_PX - width)
  const top = Math.min(Math.max(4, clientY + OFFSET_PX), Math.max(4, innerHeight - height - 4))
  element.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`
}

function textElement(tag: string, className: string, text: string): HTMLElement {
  const element = document.createElement(tag)
  element.className = className
  element.textContent = text
  return element
}
