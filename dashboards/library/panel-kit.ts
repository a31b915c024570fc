// Short forms for the boards' commonest panels.
import type { BoardPanel, BoardQuery, LinesPanel, StatPanel } from '../model/board.ts'

type Rest<T> = Partial<Omit<T, 'id' | 'kind' | 'title' | 'unit' | 'queries'>>

/** Lines from zero, three in a row. */
export function lines(
  id: string,
  title: string,
  unit: string,
  queries: readonly BoardQuery[],
  rest: Rest<LinesPanel> = {},
): BoardPanel {
  return { id, kind: 'lines', title, unit, span: 4, min: 0, queries, ...rest }
}

export function stat(id: string, title: string, unit: string, expr: string, rest: Rest<StatPanel> = {}): BoardPanel {
  return { id, kind: 'stat', title, unit, span: 2, queries: [{ expr }], ...rest }
}
