// Shifts to come: a strip in which a longer one is wider, and the same as a table.
import type { JSX } from 'preact'
import type { TimeZone } from '../../model/zone.ts'
import type { Shift } from '../api/on-call.ts'
import { formatInstant } from '../shell/format.ts'

interface Props {
  shifts: readonly Shift[]
  zone: TimeZone
}

export function ShiftStrip({ shifts, zone }: Props): JSX.Element {
  return (
    <>
      <div class="shift-strip" aria-hidden="true">
        {shifts.map((shift, index) => (
          <span
            key={shift.from}
            class={`shift ${index === 0 ? 'shift-now' : ''} ${shift.people.length === 0 ? 'shift-nobody' : ''}`}
            style={{ flexGrow: hoursOf(shift) }}
            title={`${whoOf(shift)}: ${spanOf(shift, zone)}`}
          >
            {whoOf(shift)}
          </span>
        ))}
      </div>
      <details class="shift-list">
        <summary>The next two weeks</summary>
        <table class="grid">
          <thead>
            <tr>
              <th scope="col">Who</th>
              <th scope="col">When</th>
              <th scope="col">By</th>
            </tr>
          </thead>
          <tbody>
            {shifts.map((shift) => (
              <tr key={shift.from}>
                <td>{whoOf(shift)}</td>
                <td>{spanOf(shift, zone)}</td>
                <td>{shift.source}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  )
}

const hoursOf = ({ from, to }: Shift): number => (Date.parse(to) - Date.parse(from)) / 3_600_000

const whoOf = ({ people }: Shift): string => (people.length === 0 ? 'nobody' : people.join(', '))

const spanOf = ({ from, to }: Shift, zone: TimeZone): string =>
  `${formatInstant(Date.parse(from), zone)} to ${formatInstant(Date.parse(to), zone)}`
