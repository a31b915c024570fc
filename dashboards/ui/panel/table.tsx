import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { severityOf, type TablePanel } from '../../model/board.ts'
import { formatValue } from '../../model/units.ts'
import { useLive } from '../state/live.ts'
import { rangeKey, shownRange } from '../state/time.ts'
import { loadRows, type TableRow } from './panel-data.ts'
import type { BodyProps } from './panel-view.tsx'
import { EmptyState } from './states.tsx'

const ROWS_MAX = 200

export function TableBody({ panel, active, widthPx, scrapeIntervalMs }: BodyProps<TablePanel>): JSX.Element {
  const range = shownRange.value
  const exprs = panel.queries.map(({ expr }) => expr)
  const [sortColumn, setSortColumn] = useState(0)
  const { data, error, loading } = useLive(
    (abort) => loadRows(panel, panel.by, { range, widthPx, scrapeIntervalMs }, abort),
    [exprs, rangeKey.value, widthPx, scrapeIntervalMs],
    { active },
  )
  if (data === undefined || data.length === 0)
    return <EmptyState error={error} loading={loading && data === undefined} />
  const rows = [...data].sort((a, b) => sortValue(b, sortColumn) - sortValue(a, sortColumn)).slice(0, ROWS_MAX)
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label={panel.title}>
      <table class="grid">
        <thead>
          <tr>
            {panel.by.map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
            {panel.columns.map((column, i) => (
              <th scope="col" key={column.title} class="num" aria-sort={i === sortColumn ? 'descending' : 'none'}>
                <button type="button" class="sort" onClick={() => setSortColumn(i)}>
                  {column.title}
                  {i === sortColumn ? ' ↓' : ''}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ labels, values }) => (
            <tr key={panel.by.map((name) => labels[name]).join('\u0000')}>
              {panel.by.map((name) => (
                <td key={name}>{labels[name] ?? ''}</td>
              ))}
              {panel.columns.map((column, i) => (
                <td key={column.title} class={`num cell-${severityOf(values[i]!, column.thresholds)}`}>
                  {column.unit === 'percentunit' && column.thresholds === undefined && (
                    <span class="cell-bar" aria-hidden="true">
                      <span style={{ width: `${Math.min(100, Math.max(0, values[i]! * 100))}%` }} />
                    </span>
                  )}
                  {formatValue(values[i]!, column.unit)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function sortValue({ values }: TableRow, column: number): number {
  const value = values[column]!
  return Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value
}
