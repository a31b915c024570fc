// Shares of a whole.
import type { JSX } from 'preact'
import { objectOf, textOf, textsOf } from '../../../grafana/json.ts'
import { formatValue } from '../../../model/units.ts'
import { theme } from '../../state/theme.ts'
import { timeZone } from '../../state/time.ts'
import { singleValues } from '../panel-fields.ts'
import type { PanelProps } from '../panel-props.ts'
import { NoValue } from './stat.tsx'

const SLICES_MAX = 60

export function PiePanel({ panel, title, data }: PanelProps): JSX.Element {
  const { options } = panel
  const legend = objectOf(options.legend)
  const config = {
    ...panel.fieldConfig,
    defaults: { color: { mode: 'palette-classic' }, ...panel.fieldConfig.defaults },
  }
  const values = singleValues(data.frames, config, options, { theme: theme.value, zone: timeZone.value })
    .map((one) => ({ ...one, size: Math.max(0, Number(one.value) || 0) }))
    .filter(({ size }) => size > 0)
    .sort((a, b) => b.size - a.size)
    .slice(0, SLICES_MAX)
  if (values.length === 0) return <NoValue text={textOf(panel.fieldConfig.defaults.noValue)} />
  const total = values.reduce((sum, { size }) => sum + size, 0)
  const percent = (size: number) => formatValue(size / total, 'percentunit')
  const inner = options.pieType === 'donut' ? 30 : 0
  const shown = textsOf(legend.values)
  const labels = textsOf(options.displayLabels)
  let turned = 0
  return (
    <div class={`with-legend legend-${legend.placement === 'bottom' ? 'bottom' : 'right'}`}>
      <svg
        class="pie"
        viewBox="-50 -50 100 100"
        role="img"
        aria-label={`${title}: ${values
          .slice(0, 8)
          .map(({ name, size }) => `${name} ${percent(size)}`)
          .join(', ')}`}
      >
        {values.map(({ name, size, color, text }, i) => {
          const from = turned
          turned += size / total
          const middle = (from + turned) / 2
          return (
            <g key={i}>
              <path d={slice(from, turned, inner)} style={{ fill: color }}>
                <title>{`${name}: ${text} (${percent(size)})`}</title>
              </path>
              {labels.length > 0 && turned - from > 0.06 && (
                <text
                  class="pie-label"
                  x={35 * Math.sin(middle * 2 * Math.PI)}
                  y={-35 * Math.cos(middle * 2 * Math.PI)}
                  text-anchor="middle"
                >
                  {labels.includes('percent') ? percent(size) : labels.includes('value') ? text : name.slice(0, 12)}
                </text>
              )}
            </g>
          )
        })}
      </svg>
      {legend.showLegend !== false && (
        <ul class="legend-list legend-rows" aria-label={`Parts of ${title}`}>
          {values.map(({ name, color, text, size }, i) => (
            <li key={i}>
              <span class="swatch" style={{ background: color }} />
              <span class="series-name" title={name}>
                {name}
              </span>
              {shown.includes('value') && <span class="num">{text}</span>}
              {(shown.includes('percent') || shown.length === 0) && <span class="num dim">{percent(size)}</span>}
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

function slice(from: number, to: number, inner: number): string {
  const point = (share: number, radius: number) =>
    `${(radius * Math.sin(share * 2 * Math.PI)).toFixed(3)} ${(-radius * Math.cos(share * 2 * Math.PI)).toFixed(3)}`
  const end = to - from >= 0.99999 ? from + 0.99999 : to
  const large = end - from > 0.5 ? 1 : 0
  const outerArc = `M${point(from, 48)}A48 48 0 ${large} 1 ${point(end, 48)}`
  return inner === 0
    ? `${outerArc}L0 0Z`
    : `${outerArc}L${point(end, inner)}A${inner} ${inner} 0 ${large} 0 ${point(from, inner)}Z`
}
