// The columns of a panel with their settings, and the single values it shows.
import { type Cell, type DataFrame, type Field, isEmptyCell } from '../../grafana/data-frame.ts'
import type { FieldConfig } from '../../grafana/dashboard.ts'
import { resolveColor, scaleColor } from '../../grafana/colors.ts'
import {
  displayText,
  type FieldSettings,
  fieldSettings,
  mapValue,
  patternOf,
  settingsRange,
  thresholdColor,
} from '../../grafana/field-settings.ts'
import { type Json, objectOf, textOf, textsOf } from '../../grafana/json.ts'
import { reduceValues } from '../../grafana/reducers.ts'
import type { TimeZone } from '../../model/zone.ts'
import { assignColors, labelKey, paletteColor, type Theme } from '../../model/series-color.ts'

export interface PanelField {
  readonly frame: DataFrame
  readonly field: Field
  readonly settings: FieldSettings
  /** The frame's times, where it has some. */
  readonly times: ArrayLike<Cell> | undefined
}

export function panelFields(frames: readonly DataFrame[], config: FieldConfig, zone: TimeZone): PanelField[] {
  return frames.flatMap((frame) => {
    const times = frame.fields.find(({ type }) => type === 'time')?.values
    return frame.fields.map((field) => ({ frame, field, settings: fieldSettings(field, frame, config, zone), times }))
  })
}

export function isHidden({ settings }: PanelField): boolean {
  return objectOf(settings.custom.hideFrom).viz === true || settings.custom.hidden === true
}

/** Colours of the palette by what the series are, so that one keeps its colour wherever it is shown. */
export function seriesColors(fields: readonly PanelField[], theme: Theme): string[] {
  const keys = fields.map(
    ({ field, settings }) => (Object.keys(field.labels).length > 0 ? labelKey(field.labels) : '') + settings.name,
  )
  const places = assignColors(keys)
  return fields.map((one, i) => {
    const { settings, field } = one
    const last = Number(reduceValues(field.values, settings.seriesBy === 'last' ? 'lastNotNull' : settings.seriesBy))
    return ownColor(settings, last, [field.values], theme) ?? paletteColor(places[i]!, theme)
  })
}

/** The colour a value has by its settings; `undefined` where they leave it to the palette. */
export function ownColor(
  settings: FieldSettings,
  value: number,
  columns: readonly ArrayLike<Cell>[],
  theme: Theme,
): string | undefined {
  const { colorMode, fixedColor } = settings
  if (colorMode === 'fixed' || colorMode === 'shades')
    return fixedColor === '' ? undefined : resolveColor(fixedColor, theme)
  if (colorMode === 'thresholds') {
    const name = thresholdColor(value, settings, settingsRange(columns, settings))
    return name === undefined ? undefined : resolveColor(name, theme)
  }
  if (!colorMode.startsWith('continuous')) return undefined
  const { min, max } = settingsRange(columns, settings)
  return scaleColor(colorMode, (value - min) / (max - min || 1), theme)
}

/** A colour for small text: drawn towards the ink, so that it can be read on both grounds. */
export function inkOf(color: string): string {
  return `color-mix(in srgb, ${color} 45%, var(--text-1))`
}

export interface SingleValue {
  readonly name: string
  readonly text: string
  readonly value: Cell
  readonly color: string
  /** Share of the way from min to max, 0 to 1. */
  readonly share: number
  readonly range: { readonly min: number; readonly max: number }
  readonly source: PanelField
  /** Row of the field where single rows are shown. */
  readonly row: number | undefined
}

const ROWS_MAX = 200

/** What a stat, gauge or pie shows: each column reduced, or each row. */
export function singleValues(
  frames: readonly DataFrame[],
  config: FieldConfig,
  options: Json,
  { theme, zone }: { theme: Theme; zone: TimeZone },
): SingleValue[] {
  const reduce = objectOf(options.reduceOptions)
  const calc = textsOf(reduce.calcs)[0] ?? 'lastNotNull'
  const wanted = textOf(reduce.fields)
  const all = panelFields(frames, config, zone).filter((one) => !isHidden(one))
  const chosen = all.filter(({ field, settings }) =>
    wanted === ''
      ? field.type === 'number'
      : wanted === settings.name ||
        wanted === field.name ||
        (wanted.startsWith('/') && patternOf(wanted)?.test(settings.name) === true && field.type !== 'time'),
  )
  const perRow = reduce.values === true
  const palette = seriesColors(chosen, theme)
  const columns = chosen.map(({ field }) => field.values)
  return chosen.flatMap((source, at) => {
    const cells: { value: Cell; row: number | undefined }[] = perRow
      ? Array.from({ length: Math.min(ROWS_MAX, source.frame.length) }, (_, row) => ({
          value: source.field.values[row] ?? null,
          row,
        }))
      : [{ value: reduceValues(source.field.values, calc), row: undefined }]
    return cells.map(({ value, row }) => single(source, value, row, { theme, palette: palette[at]!, columns, perRow }))
  })
}

function single(
  source: PanelField,
  value: Cell,
  row: number | undefined,
  {
    theme,
    palette,
    columns,
    perRow,
  }: { theme: Theme; palette: string; columns: readonly ArrayLike<Cell>[]; perRow: boolean },
): SingleValue {
  const { settings, field, frame } = source
  const range = settingsRange(columns, settings)
  const number = Number(value)
  const mapped = mapValue(value, settings.mappings)?.color
  const label = row === undefined ? undefined : frame.fields.find(({ type }) => type === 'string')?.values[row]
  const own =
    mapped === undefined
      ? ownColor(settings, isEmptyCell(value) ? Number.NaN : number, columns, theme)
      : resolveColor(mapped, theme)
  return {
    name: label === undefined || label === null ? settings.name : String(label),
    text: displayText(value, field.type, settings),
    value,
    color: own ?? (perRow && row !== undefined ? paletteColor(row, theme) : palette),
    share: isEmptyCell(value) ? 0 : Math.min(1, Math.max(0, (number - range.min) / (range.max - range.min || 1))),
    range,
    source,
    row,
  }
}
