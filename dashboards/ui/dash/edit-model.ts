// Changes to a board's JSON while it is being edited; each returns a new one.
import type { GridPos } from '../../grafana/dashboard.ts'
import { type Json, numberOf, objectOf, objectsOf } from '../../grafana/json.ts'

/** Applies a change to the panel with the id, at the top or inside of a folded row. */
export function changePanel(board: Json, id: number, change: (panel: Json) => Json | undefined): Json {
  const inList = (panels: readonly Json[]): Json[] =>
    panels.flatMap((panel): Json[] => {
      if (numberOf(panel.id) === id) {
        const changed = change(panel)
        return changed === undefined ? [] : [changed]
      }
      return [panel.panels === undefined ? panel : { ...panel, panels: inList(objectsOf(panel.panels)) }]
    })
  return { ...board, panels: inList(objectsOf(board.panels)) }
}

export function findPanel(board: Json, id: number): Json | undefined {
  return allPanels(board).find((panel) => numberOf(panel.id) === id)
}

/** @param to counted from the top of the panel's section, whose topmost panel stays at its height */
export function movePanel(board: Json, id: number, to: GridPos): Json {
  return changePanel(board, id, (panel) => ({ ...panel, gridPos: to }))
}

export function addPanel(board: Json, panel: Json): { board: Json; id: number } {
  const id = Math.max(0, ...allPanels(board).map((one) => numberOf(one.id) ?? 0)) + 1
  const bottom = Math.max(
    0,
    ...objectsOf(board.panels).map(
      ({ gridPos }) => (numberOf(objectOf(gridPos).y) ?? 0) + (numberOf(objectOf(gridPos).h) ?? 0),
    ),
  )
  const place = objectOf(panel.gridPos)
  const gridPos = { x: numberOf(place.x) ?? 0, y: bottom, w: numberOf(place.w) ?? 12, h: numberOf(place.h) ?? 8 }
  return { board: { ...board, panels: [...objectsOf(board.panels), { ...panel, id, gridPos }] }, id }
}

function allPanels(board: Json): Json[] {
  return objectsOf(board.panels).flatMap((panel) => [panel, ...objectsOf(panel.panels)])
}

/** A board to begin with. */
export function emptyBoard(): Json {
  return {
    title: 'New dashboard',
    tags: [],
    schemaVersion: 42,
    time: { from: 'now-1h', to: 'now' },
    refresh: '30s',
    panels: [],
    templating: { list: [] },
    annotations: { list: [] },
  }
}

export function newPanel(): Json {
  return {
    type: 'timeseries',
    title: 'New panel',
    targets: [{ refId: 'A', expr: 'up', legendFormat: '__auto' }],
    fieldConfig: {
      defaults: { custom: { lineWidth: 1, fillOpacity: 10 }, color: { mode: 'palette-classic' } },
      overrides: [],
    },
    options: {
      legend: { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
    gridPos: { w: 12, h: 8 },
  }
}

/** Lines of two texts that differ, with a little of what is around them. */
export function lineDiff(before: string, after: string): { sign: ' ' | '+' | '-'; text: string }[] {
  const a = before.split('\n')
  const b = after.split('\n')
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
  const middleA = a.slice(head, a.length - tail)
  const middleB = b.slice(head, b.length - tail)
  return [
    ...a.slice(Math.max(0, head - 3), head).map((text) => ({ sign: ' ' as const, text })),
    ...commonLines(middleA, middleB),
    ...a.slice(a.length - tail, a.length - tail + 3).map((text) => ({ sign: ' ' as const, text })),
  ]
}

const DIFF_CELLS_MAX = 4_000_000

function commonLines(a: readonly string[], b: readonly string[]): { sign: ' ' | '+' | '-'; text: string }[] {
  if (a.length * b.length > DIFF_CELLS_MAX) {
    return [...a.map((text) => ({ sign: '-' as const, text })), ...b.map((text) => ({ sign: '+' as const, text }))]
  }
  const width = b.length + 1
  const lengths = new Uint32Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        a[i] === b[j]
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!)
    }
  }
  const out: { sign: ' ' | '+' | '-'; text: string }[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      out.push({ sign: ' ', text: a[i]! })
      i++
      j++
    } else if (i < a.length && (j >= b.length || lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!))
      out.push({ sign: '-', text: a[i++]! })
    else out.push({ sign: '+', text: b[j++]! })
  }
  return out
}
