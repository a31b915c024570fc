// Repeats panels and rows over the values of a variable and lets everything fall upwards on the grid.
import type { BoardSection, DashPanel, GridPos } from './dashboard.ts'
import type { Scope, VariableValue } from './interpolate.ts'

export interface PlacedPanel {
  readonly panel: DashPanel
  /** Id in the page and in links; clones of a repeat have their own. */
  readonly key: string
  readonly place: GridPos
  /** Values of repeats, over those of the board. */
  readonly scope: Scope
}

export interface PlacedSection {
  readonly key: string
  readonly row: BoardSection['row']
  readonly scope: Scope
  readonly panels: readonly PlacedPanel[]
  /** Grid rows it takes. */
  readonly height: number
}

const COLUMNS = 24
const EMPTY: Scope = new Map()

export function placeSections(sections: readonly BoardSection[], scope: Scope): PlacedSection[] {
  return sections.flatMap((section) => {
    const repeat = section.row?.repeat ?? ''
    const values = repeat === '' ? undefined : scope.get(repeat)
    if (section.row === undefined || values === undefined || values.isRaw)
      return [placeSection(section, scope, EMPTY, '')]
    return values.values.map((value, i) =>
      placeSection(section, scope, new Map([[repeat, single(values, i)]]), i === 0 ? '' : `-${safeKey(value)}`),
    )
  })
}

function placeSection(section: BoardSection, scope: Scope, own: Scope, suffix: string): PlacedSection {
  const key = `${section.row === undefined ? 'top' : String(section.row.id)}${suffix}`
  const top = Math.min(...section.panels.map(({ gridPos }) => gridPos.y))
  const placed = repeatPanels(section.panels, scope, own, suffix, Number.isFinite(top) ? top : 0)
  const panels = settle(placed)
  return {
    key,
    row: section.row,
    scope: own,
    panels,
    height: Math.max(0, ...panels.map(({ place }) => place.y + place.h)),
  }
}

function repeatPanels(
  panels: readonly DashPanel[],
  scope: Scope,
  own: Scope,
  suffix: string,
  top: number,
): PlacedPanel[] {
  const out: PlacedPanel[] = []
  let pushed = 0
  for (const panel of panels) {
    const place = { ...panel.gridPos, y: panel.gridPos.y - top + pushed }
    const values = panel.repeat === '' || own.has(panel.repeat) ? undefined : scope.get(panel.repeat)
    if (values === undefined || values.isRaw || values.values.length === 0) {
      out.push({ panel, key: `${panel.id}${suffix}`, place, scope: own })
      continue
    }
    const perLine = panel.repeatDirection === 'v' ? 1 : Math.min(values.values.length, panel.maxPerRow)
    const w = panel.repeatDirection === 'v' ? place.w : Math.max(1, Math.floor(COLUMNS / perLine))
    values.values.forEach((value, i) => {
      const x = panel.repeatDirection === 'v' ? place.x : (i % perLine) * w
      const y = place.y + Math.floor(i / perLine) * place.h
      const clone = new Map([...own, [panel.repeat, single(values, i)]])
      out.push({
        panel,
        key: `${panel.id}${suffix}${i === 0 ? '' : `-${safeKey(value)}`}`,
        place: { x, y, w, h: place.h },
        scope: clone,
      })
    })
    // What lies below makes room for the lines that were added.
    pushed += (Math.ceil(values.values.length / perLine) - 1) * place.h
  }
  return out
}

function single(values: VariableValue, i: number): VariableValue {
  return { values: [values.values[i]!], texts: [values.texts[i] ?? values.values[i]!], isList: true }
}

function safeKey(value: string): string {
  return value.replaceAll(/[^\w.:-]+/g, '_').slice(0, 60)
}

/** Every panel falls upwards until it meets another. */
export function settle(panels: readonly PlacedPanel[]): PlacedPanel[] {
  const heights = Array.from({ length: COLUMNS }, () => 0)
  return [...panels]
    .sort((a, b) => a.place.y - b.place.y || a.place.x - b.place.x)
    .map((one) => {
      const { x, w, h } = one.place
      const below = heights.slice(x, x + w)
      const y = Math.max(0, ...below)
      heights.fill(y + h, x, x + w)
      return { ...one, place: { x, y, w, h } }
    })
}
