// A dashboard as data: what the built-in library holds and what the browser draws.
import type { LabelSet } from './frame.ts'
import type { ColorMeaning } from './series-color.ts'

export interface Thresholds {
  readonly warn?: number
  readonly crit?: number
}

export interface BoardQuery {
  /** PromQL with `$__rate_interval` and the like, and `$name` for a list of matchers bound by {@link bindBoard}. */
  readonly expr: string
  /** Legend text with `{{label}}`; absent = the labels in which the series differ. */
  readonly legend?: string
  /** A palette place or a meaning; absent = by the hash of the labels. */
  readonly color?: number | ColorMeaning
  /** Drawn below zero, for the other direction of the same thing (sent beside received). */
  readonly mirrored?: boolean
  /** A bare line in a filled panel, for what is only a frame of reference. */
  readonly unfilled?: boolean
}

interface PanelBase {
  /** Unique on its board, stable over versions: links and tests use it. */
  readonly id: string
  readonly title: string
  /** One sentence: what it shows and when to worry. */
  readonly hint?: string
  readonly unit: string
  /** Width in twelfths of the board. */
  readonly span: 2 | 3 | 4 | 6 | 8 | 12
  /** The panel is shown once one of these metrics exists; absent = always. */
  readonly needs?: readonly string[]
  readonly queries: readonly BoardQuery[]
  readonly thresholds?: Thresholds
}

/** Lines over time. */
export interface LinesPanel extends PanelBase {
  readonly kind: 'lines'
  readonly stack?: boolean
  readonly fill?: boolean
  /** Fixed ends of the value axis. */
  readonly min?: number
  readonly max?: number
  readonly log?: boolean
}

/** One big number of the first query's first series, with its course behind it. */
export interface StatPanel extends PanelBase {
  readonly kind: 'stat'
  /** Shown where the query answers nothing. */
  readonly emptyText?: string
}

/** A horizontal bar per series of the first query, 0 to 1; the second query adds a figure in `detailUnit` by equal labels. */
export interface BarsPanel extends PanelBase {
  readonly kind: 'bars'
  readonly detailUnit?: string
}

export interface TableColumn {
  readonly title: string
  readonly unit: string
  readonly thresholds?: Thresholds
}

/** One row per label set of the first query; every query is a column, matched by the labels in `by`. */
export interface TablePanel extends PanelBase {
  readonly kind: 'table'
  readonly by: readonly string[]
  readonly columns: readonly TableColumn[]
}

export type BoardPanel = LinesPanel | StatPanel | BarsPanel | TablePanel

export interface BoardRow {
  readonly id: string
  readonly title: string
  readonly panels: readonly BoardPanel[]
}

export interface Board {
  readonly uid: string
  readonly title: string
  readonly rows: readonly BoardRow[]
}

/** Labels as a matcher list, `job="a",instance="b:1"`, values escaped. */
export function matcherList(labels: LabelSet): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',')
}

/** Puts matcher lists in place of `$name` in every expression. Names not given stay (interval variables among them). */
export function bindBoard(board: Board, variables: Readonly<Record<string, string>>): Board {
  const bind = (expr: string) =>
    expr.replace(/\$([a-z]+)\b/g, (whole, name: string) => (Object.hasOwn(variables, name) ? variables[name]! : whole))
  return {
    ...board,
    rows: board.rows.map((row) => ({
      ...row,
      panels: row.panels.map((panel) => ({
        ...panel,
        queries: panel.queries.map((query) => ({ ...query, expr: bind(query.expr) })),
      })),
    })),
  }
}

/** Leaves out panels none of whose metrics exists, and rows that become empty. */
export function availableRows(board: Board, metricNames: ReadonlySet<string>): BoardRow[] {
  return board.rows
    .map((row) => ({
      ...row,
      panels: row.panels.filter(({ needs }) => needs === undefined || needs.some((name) => metricNames.has(name))),
    }))
    .filter((row) => row.panels.length > 0)
}

export type Severity = 'ok' | 'warn' | 'crit'

export function severityOf(value: number, thresholds: Thresholds | undefined): Severity {
  if (thresholds?.crit !== undefined && value >= thresholds.crit) return 'crit'
  return thresholds?.warn !== undefined && value >= thresholds.warn ? 'warn' : 'ok'
}
