// Arcs with their thresholds around them.
import type { JSX } from 'preact'
import { resolveColor } from '../../../grafana/colors.ts'
import { textOf } from '../../../grafana/json.ts'
import { theme } from '../../state/theme.ts'
import { timeZone } from '../../state/time.ts'
import { type SingleValue, singleValues } from '../panel-fields.ts'
import type { PanelProps } from '../panel-props.ts'
import { NoValue, tileGrid } from './stat.tsx'

const GAUGES_MAX = 40
const START = -220
const SWEEP = 260

export function GaugePanel({ panel, data, widthPx, heightPx }: PanelProps): JSX.Element {
  const values = singleValues(data.frames, panel.fieldConfig, panel.options, {
    theme: theme.value,
    zone: timeZone.value,
  }).slice(0, GAUGES_MAX)
  if (values.length === 0) return <NoValue text={textOf(panel.fieldConfig.defaults.noValue)} />
  const { columns } = tileGrid(
    values.length,
    widthPx * 1.4,
    heightPx,
    textOf(panel.options.orientation) === 'horizontal' ? 'auto' : textOf(panel.options.orientation, 'auto'),
  )
  return (
    <div class="tiles gauges" style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
      {values.map((value, i) => (
        <Gauge
          key={`${i} ${value.name}`}
          value={value}
          withName={values.length > 1}
          withMarkers={panel.options.showThresholdMarkers !== false}
        />
      ))}
    </div>
  )
}

function Gauge({
  value,
  withName,
  withMarkers,
}: {
  value: SingleValue
  withName: boolean
  withMarkers: boolean
}): JSX.Element {
  const { settings } = value.source
  const { min, max } = value.range
  const share = (step: number) =>
    Math.min(1, Math.max(0, settings.thresholdsInPercent ? step / 100 : (step - min) / (max - min || 1)))
  const size = Math.min(24, 116 / Math.max(value.text.length, 4))
  return (
    <figure class="gauge">
      <svg viewBox="0 0 120 100" role="img" aria-label={`${value.name}: ${value.text}`}>
        <path class="gauge-track" d={arc(46, 0, 1)} />
        {value.share > 0 && <path class="gauge-fill" d={arc(46, 0, value.share)} style={{ stroke: value.color }} />}
        {withMarkers &&
          settings.thresholds.map((step, i) => {
            const from = Number.isFinite(step.value) ? share(step.value) : 0
            const to = settings.thresholds[i + 1] === undefined ? 1 : share(settings.thresholds[i + 1]!.value)
            return to > from ? (
              <path
                key={i}
                class="gauge-marker"
                d={arc(56.5, from, to)}
                style={{ stroke: resolveColor(step.color, theme.value) }}
              />
            ) : null
          })}
        <text x="60" y="67" text-anchor="middle" style={{ fontSize: `${size}px`, fill: value.color }}>
          {value.text}
        </text>
      </svg>
      {withName && <figcaption title={value.name}>{value.name}</figcaption>}
    </figure>
  )
}

/** Path of an arc around (60, 60) between two shares of the sweep. */
function arc(radius: number, from: number, to: number): string {
  const point = (share: number) => {
    const angle = ((START + SWEEP * share) * Math.PI) / 180
    return `${(60 + radius * Math.cos(angle)).toFixed(2)} ${(60 + radius * Math.sin(angle)).toFixed(2)}`
  }
  return `M${point(from)}A${radius} ${radius} 0 ${(to - from) * SWEEP > 180 ? 1 : 0} 1 ${point(to)}`
}
