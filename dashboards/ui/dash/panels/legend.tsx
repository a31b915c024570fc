// A legend as list or table; in both a click shows one series alone and Ctrl+click takes it out.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Cell } from '../../../grafana/data-frame.ts'
import { flagOf, type Json, textOf, textsOf } from '../../../grafana/json.ts'
import { reduceValues, reducerName } from '../../../grafana/reducers.ts'

const ROWS_MAX = 120

export interface LegendRow {
  readonly name: string
  readonly color: string
  readonly values: ArrayLike<Cell>
  readonly format: (value: number) => string
  readonly isShown: boolean
}

interface Props {
  title: string
  rows: readonly LegendRow[]
  options: Json
  hidden: ReadonlySet<string>
  onHidden: (hidden: ReadonlySet<string>) => void
}

export function DashLegend({ title, rows, options, hidden, onHidden }: Props): JSX.Element {
  const calcs = textsOf(options.calcs)
  const [sort, setSort] = useState<{ by: string; desc: boolean } | undefined>(sortOf(options, calcs))
  const names = rows.map(({ name }) => name)
  const pick = (name: string, event: MouseEvent) =>
    onHidden(event.ctrlKey || event.metaKey ? toggled(hidden, name) : isolated(hidden, names, name))
  const shown = rows.filter((row) => row.isShown)
  const isTable = options.displayMode === 'table'
  if (!isTable) {
    return (
      <ul class="legend-list" aria-label={`Series of ${title}`}>
        {shown.slice(0, ROWS_MAX).map((row, i) => (
          <li key={`${i} ${row.name}`} class={hidden.has(row.name) ? 'series-hidden' : ''}>
            <SeriesButton row={row} hidden={hidden} onPick={pick} />
            {calcs.map((calc) => (
              <span key={calc} class="legend-calc num">
                <span class="dim">{reducerName(calc)}:</span> {reduced(row, calc)}
              </span>
            ))}
          </li>
        ))}
        {shown.length > ROWS_MAX && <li class="more">and {shown.length - ROWS_MAX} more</li>}
      </ul>
    )
  }
  const ordered =
    sort === undefined ? shown : [...shown].sort((a, b) => compareRows(a, b, sort.by) * (sort.desc ? -1 : 1))
  const head = (id: string, text: string, numeric: boolean) => (
    <th
      key={id}
      scope="col"
      class={numeric ? 'num' : ''}
      aria-sort={sort?.by === id ? (sort.desc ? 'descending' : 'ascending') : 'none'}
    >
      <button
        type="button"
        class="sort"
        onClick={() =>
          setSort(sort?.by === id ? (sort.desc ? { by: id, desc: false } : undefined) : { by: id, desc: true })
        }
      >
        {text}
        {sort?.by === id ? (sort.desc ? ' ↓' : ' ↑') : ''}
      </button>
    </th>
  )
  return (
    <div class="legend-table" tabIndex={0} role="group" aria-label={`Series of ${title}`}>
      <table>
        <thead>
          <tr>
            {head('', 'Name', false)}
            {calcs.map((calc) => head(calc, reducerName(calc), true))}
          </tr>
        </thead>
        <tbody>
          {ordered.slice(0, ROWS_MAX).map((row, i) => (
            <tr key={`${i} ${row.name}`} class={hidden.has(row.name) ? 'series-hidden' : ''}>
              <th scope="row">
                <SeriesButton row={row} hidden={hidden} onPick={pick} />
              </th>
              {calcs.map((calc) => (
                <td key={calc} class="num">
                  {reduced(row, calc)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length > ROWS_MAX && <p class="more">and {shown.length - ROWS_MAX} more series</p>}
    </div>
  )
}

function SeriesButton({
  row,
  hidden,
  onPick,
}: {
  row: LegendRow
  hidden: ReadonlySet<string>
  onPick: (name: string, event: MouseEvent) => void
}): JSX.Element {
  return (
    <button
      type="button"
      class="series"
      title={`${row.name.slice(0, 500)}\nClick: only this one. Ctrl+click: without this one.`}
      aria-pressed={!hidden.has(row.name)}
      onClick={(event) => onPick(row.name, event)}
    >
      <span class="swatch" style={{ background: row.color }} />
      <span class="series-name">{row.name === '' ? '(no name)' : row.name}</span>
    </button>
  )
}

function reduced({ values, format }: LegendRow, calc: string): string {
  const value = reduceValues(values, calc)
  return typeof value === 'number'
    ? calc.endsWith('ount')
      ? String(value)
      : format(value)
    : value === null
      ? '–'
      : String(value)
}

function sortOf(options: Json, calcs: readonly string[]): { by: string; desc: boolean } | undefined {
  const wanted = textOf(options.sortBy)
  if (wanted === '') return undefined
  const by = calcs.find((calc) => calc === wanted || reducerName(calc) === wanted)
  return by === undefined
    ? wanted === 'Name'
      ? { by: '', desc: flagOf(options.sortDesc) }
      : undefined
    : { by, desc: options.sortDesc !== false }
}

function compareRows(a: LegendRow, b: LegendRow, by: string): number {
  if (by === '') return a.name.localeCompare(b.name, 'en', { numeric: true })
  const number = ({ values }: LegendRow) => {
    const value = Number(reduceValues(values, by))
    return Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value
  }
  return number(a) - number(b)
}

function toggled(hidden: ReadonlySet<string>, name: string): Set<string> {
  const next = new Set(hidden)
  if (!next.delete(name)) next.add(name)
  return next
}

/** Clicking the only visible series brings the others back. */
function isolated(hidden: ReadonlySet<string>, names: readonly string[], name: string): Set<string> {
  const others = names.filter((other) => other !== name)
  const alreadyAlone = !hidden.has(name) && others.every((other) => hidden.has(other))
  return alreadyAlone ? new Set() : new Set(others)
}
