// The legend is also the chart's table twin: one row per series with its newest, mean and largest value.
import type { JSX } from 'preact'
import { columnStats } from '../../model/frame.ts'
import { formatValue } from '../../model/units.ts'
import type { LinesData } from './panel-data.ts'

const ROWS_MAX = 100

interface Props {
  title: string
  data: LinesData
  colors: readonly string[]
  unit: string
  hidden: ReadonlySet<string>
  onHidden: (hidden: ReadonlySet<string>) => void
}

export function Legend({ title, data, colors, unit, hidden, onHidden }: Props): JSX.Element {
  const { names, frame } = data
  const pick = (name: string, event: MouseEvent) =>
    onHidden(event.ctrlKey || event.metaKey ? toggled(hidden, name) : isolated(hidden, names, name))
  const rest = names.length - ROWS_MAX
  return (
    <div class="legend" tabIndex={names.length > 3 ? 0 : -1} role="group" aria-label={`Series of ${title}`}>
      <table>
        <caption class="sr-only">{title}</caption>
        <thead>
          <tr>
            <th scope="col">
              <span class="sr-only">Series</span>
            </th>
            <th scope="col">last</th>
            <th scope="col" class="mean">
              mean
            </th>
            <th scope="col">max</th>
          </tr>
        </thead>
        <tbody>
          {names.slice(0, ROWS_MAX).map((name, i) => {
            const { last, mean, max } = columnStats(frame.ys[i]!)
            return (
              <tr key={`${i} ${name}`} class={hidden.has(name) ? 'series-hidden' : ''}>
                <th scope="row">
                  <button
                    type="button"
                    class="series"
                    title={`${name}\nClick: only this one. Ctrl+click: without this one.`}
                    aria-pressed={!hidden.has(name)}
                    onClick={(event) => pick(name, event)}
                  >
                    <span class="swatch" style={{ background: colors[i] }} />
                    <span class="series-name">{name}</span>
                  </button>
                </th>
                <td>{formatValue(last, unit)}</td>
                <td class="mean">{formatValue(mean, unit)}</td>
                <td>{formatValue(max, unit)}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
      {rest > 0 && <p class="more">and {rest} more series</p>}
    </div>
  )
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
