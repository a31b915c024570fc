import type { JSX } from 'preact'
import type { Frame } from '../../model/frame.ts'
import type { TimeZone } from '../../model/time-range.ts'
import { formatValue } from '../../model/units.ts'
import { formatInstant } from '../shell/format.ts'

const ROWS_MAX = 200
const COLUMNS_MAX = 20

interface Props {
  title: string
  frame: Frame
  names: readonly string[]
  unit: string
  zone: TimeZone
}

/** The points of a chart as text, newest first. */
export function DataTable({ title, frame, names, unit, zone }: Props): JSX.Element {
  const newestFirst = Array.from(frame.x, (_, i) => frame.x.length - 1 - i).slice(0, ROWS_MAX)
  const shown = names.slice(0, COLUMNS_MAX)
  return (
    <div class="data-table" tabIndex={0} role="group" aria-label={`Values of ${title}`}>
      <table>
        <caption class="sr-only">{title}</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {shown.map((name, i) => (
              <th scope="col" key={i}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {newestFirst.map((i) => (
            <tr key={frame.x[i]}>
              <th scope="row">{formatInstant(frame.x[i]!, zone)}</th>
              {shown.map((_, column) => (
                <td key={column}>{formatValue(frame.ys[column]![i]!, unit)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
