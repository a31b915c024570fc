// One bar per value, along or upright.
import type { JSX } from 'preact'
import { resolveColor } from '../../../grafana/colors.ts'
import { textOf } from '../../../grafana/json.ts'
import { theme } from '../../state/theme.ts'
import { timeZone } from '../../state/time.ts'
import { inkOf, type SingleValue, singleValues } from '../panel-fields.ts'
import type { PanelProps } from '../panel-props.ts'
import { NoValue } from './stat.tsx'

const BARS_MAX = 150
const LCD_CELLS = 40

export function BarGaugePanel({ panel, data, widthPx, heightPx }: PanelProps): JSX.Element {
  const values = singleValues(data.frames, panel.fieldConfig, panel.options, {
    theme: theme.value,
    zone: timeZone.value,
  }).slice(0, BARS_MAX)
  if (values.length === 0) return <NoValue text={textOf(panel.fieldConfig.defaults.noValue)} />
  const orientation = textOf(panel.options.orientation, 'auto')
  const upright =
    orientation === 'vertical' ||
    (orientation === 'auto' && widthPx > heightPx * 1.6 && values.length > 1 && values.length * 60 < widthPx)
  const mode = textOf(panel.options.displayMode, 'gradient')
  const unfilled = panel.options.showUnfilled !== false
  const colored = panel.options.valueMode !== 'text'
  return (
    <ul class={`bar-gauges ${upright ? 'bars-upright' : 'bars-along'}`}>
      {values.map((value, i) => (
        <li key={`${i} ${value.name}`} title={`${value.name}: ${value.text}`}>
          <span class="bar-gauge-name">{value.name}</span>
          <span
            class={`bar-gauge-track${unfilled ? '' : ' bare'}`}
            role="img"
            aria-label={`${value.name}: ${value.text}`}
          >
            {mode === 'lcd' ? (
              <LcdCells value={value} />
            ) : (
              <Fill value={value} upright={upright} gradient={mode === 'gradient'} />
            )}
          </span>
          {panel.options.valueMode !== 'hidden' && (
            <span class="bar-gauge-value num" style={colored ? { color: inkOf(value.color) } : {}}>
              {value.text}
            </span>
          )}
        </li>
      ))}
    </ul>
  )
}

function Fill({ value, upright, gradient }: { value: SingleValue; upright: boolean; gradient: boolean }): JSX.Element {
  const size = `${(value.share * 100).toFixed(2)}%`
  const background = gradient
    ? `linear-gradient(${upright ? '0deg' : '90deg'}, color-mix(in srgb, ${value.color} 35%, transparent), ${value.color})`
    : value.color
  return <span class="bar-gauge-fill" style={{ [upright ? 'height' : 'width']: size, background }} />
}

/** Lamps, lit up to the value, each in the colour of its place. */
function LcdCells({ value }: { value: SingleValue }): JSX.Element {
  const { settings } = value.source
  const { min, max } = value.range
  const lit = Math.round(value.share * LCD_CELLS)
  return (
    <>
      {Array.from({ length: LCD_CELLS }, (_, i) => {
        const at = settings.thresholdsInPercent ? (i / LCD_CELLS) * 100 : min + ((max - min) * i) / LCD_CELLS
        const step = settings.thresholds.findLast((one) => at >= one.value)
        const color = settings.colorMode === 'thresholds' && step ? resolveColor(step.color, theme.value) : value.color
        return <span key={i} class="lcd" style={{ background: color, opacity: i < lit ? 1 : 0.13 }} />
      })}
    </>
  )
}
