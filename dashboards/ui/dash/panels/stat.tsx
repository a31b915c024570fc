// Big numbers with their course behind them.
import type { JSX } from 'preact'
import { readableOn } from '../../../grafana/colors.ts'
import { type Json, textOf } from '../../../grafana/json.ts'
import { EmptyState } from '../../panel/states.tsx'
import { Sparkline } from '../../panel/stat.tsx'
import { theme } from '../../state/theme.ts'
import { timeZone } from '../../state/time.ts'
import { type SingleValue, singleValues } from '../panel-fields.ts'
import type { PanelProps } from '../panel-props.ts'

const TILES_MAX = 60
const FONT_MIN_PX = 12
const FONT_MAX_PX = 64

export function StatPanel({ panel, title, data, widthPx, heightPx }: PanelProps): JSX.Element {
  const values = singleValues(data.frames, panel.fieldConfig, panel.options, {
    theme: theme.value,
    zone: timeZone.value,
  }).slice(0, TILES_MAX)
  if (values.length === 0) return <NoValue text={textOf(panel.fieldConfig.defaults.noValue)} />
  const { columns, rows } = tileGrid(values.length, widthPx, heightPx, textOf(panel.options.orientation, 'auto'))
  const tile = { widthPx: widthPx / columns, heightPx: heightPx / rows }
  return (
    <div class="tiles" style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
      {values.map((value, i) => (
        <StatTile
          key={`${i} ${value.name}`}
          value={value}
          options={panel.options}
          isOnly={values.length === 1}
          title={title}
          range={data.range}
          {...tile}
        />
      ))}
    </div>
  )
}

/** Nothing to show: what the panel says for it, as large as its values. */
export function NoValue({ text }: { text: string }): JSX.Element {
  return text === '' ? <EmptyState loading={false} /> : <p class="no-value">{text}</p>
}

interface TileProps {
  value: SingleValue
  options: Json
  isOnly: boolean
  title: string
  widthPx: number
  heightPx: number
  range: { readonly fromMs: number; readonly toMs: number }
}

function StatTile({ value, options, isOnly, title, widthPx, heightPx, range }: TileProps): JSX.Element {
  const colorMode = textOf(options.colorMode, 'value')
  const isGround = colorMode.startsWith('background')
  const textMode = textOf(options.textMode, 'auto')
  const withName = textMode === 'name' || textMode === 'value_and_name' || (textMode === 'auto' && !isOnly)
  const withValue = textMode !== 'name' && textMode !== 'none'
  const text = `${textOf(options.prefix)}${value.text}${textOf(options.postfix)}`
  const main = withValue ? text : textMode === 'name' ? value.name : ''
  const withLine =
    textOf(options.graphMode, 'area') === 'area' &&
    value.row === undefined &&
    value.source.times !== undefined &&
    value.source.frame.length > 1 &&
    heightPx > 46
  const room = heightPx * (withLine ? 0.62 : 0.9) * (withName && withValue ? 0.66 : 0.8)
  const sizePx = Math.max(FONT_MIN_PX, Math.min(FONT_MAX_PX, room, (widthPx - 34) / textWidthEm(main)))
  const ink = isGround ? readableOn(value.color) : undefined
  const style = isGround ? { background: value.color, color: ink! } : {}
  const points = {
    x: Float64Array.from(Array.from(value.source.times ?? [], Number)),
    ys: [
      Float64Array.from(Array.from(value.source.field.values, (cell) => (cell === null ? Number.NaN : Number(cell)))),
    ],
    labels: [{}],
  }
  const centered = textOf(options.justifyMode) === 'center' || (isOnly && !withLine)
  return (
    <div class={`tile${centered ? ' tile-centered' : ''}`} style={style} title={isOnly ? title : value.name}>
      {withName && withValue && <span class="tile-name">{value.name}</span>}
      <span
        class="tile-value"
        style={{
          fontSize: `${sizePx}px`,
          ...(isGround || colorMode === 'none' || !withValue ? {} : { color: value.color }),
        }}
      >
        {main}
      </span>
      {withLine && <Sparkline data={{ frame: points, range }} color={isGround ? ink! : value.color} />}
    </div>
  )
}

/** Near enough for bold text in the fonts that browsers come with. */
function textWidthEm(text: string): number {
  let width = 0
  for (const char of text)
    width += /[\s.,:;'|!il-]/.test(char) ? 0.38 : /[%MWmw@]/.test(char) ? 1 : /[A-Z]/.test(char) ? 0.78 : 0.69
  return Math.max(width, 1.3)
}

/** Tiles as square as they come. */
export function tileGrid(
  count: number,
  widthPx: number,
  heightPx: number,
  orientation: string,
): { columns: number; rows: number } {
  if (orientation === 'vertical') return { columns: count, rows: 1 }
  if (orientation === 'horizontal') return { columns: 1, rows: count }
  let best = { columns: 1, rows: count }
  let bestSize = 0
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns)
    const size = Math.min(widthPx / columns / 2.2, heightPx / rows)
    if (size > bestSize) {
      best = { columns, rows }
      bestSize = size
    }
  }
  return best
}
