// Tables as transformations and panels see them: named columns of one length.
import type { LabelSet, MatrixSeries } from '../model/frame.ts'
import { parseSampleValue } from '../model/frame.ts'
import type { Json } from './json.ts'

export type Cell = number | string | boolean | null
export type FieldType = 'time' | 'number' | 'string' | 'boolean' | 'other'

export interface Field {
  readonly name: string
  readonly type: FieldType
  readonly labels: LabelSet
  readonly values: ArrayLike<Cell>
  /** Name given by the query's legend or by a transformation; wins over the field's own. */
  readonly displayName?: string | undefined
  /** Settings a transformation has attached, over those of the panel. */
  readonly config?: Json | undefined
}

export interface DataFrame {
  readonly refId: string
  readonly name: string
  readonly fields: readonly Field[]
  readonly length: number
}

const NO_LABELS: LabelSet = {}

export function timeField(values: ArrayLike<Cell>, name = 'Time'): Field {
  return { name, type: 'time', labels: NO_LABELS, values }
}

/** Legend text with `{{label}}` filled in; '' and `__auto` mean the labels themselves. */
export function legendName(labels: LabelSet, legend: string, isOnly: boolean, expr: string): string {
  if (legend !== '' && legend !== '__auto') {
    return legend.replaceAll(/\{\{\s*(.+?)\s*\}\}/g, (_, name: string) => labels[name] ?? '')
  }
  const { __name__: metric = '', ...rest } = labels
  const pairs = Object.entries(rest).map(([name, value]) => `${name}="${value}"`)
  if (pairs.length === 0) return metric !== '' ? metric : legend === '__auto' && isOnly ? 'Value' : expr
  // With automatic names a series is called by what it differs in; that is found out over the panel, see `autoNames`.
  return `${metric}{${pairs.join(', ')}}`
}

/** Automatic names leave out what all series of the query share; a single series keeps its labels only where it has no name. */
export function autoNames(all: readonly LabelSet[], expr: string): string[] {
  if (all.length === 1) {
    const { __name__: metric, ...rest } = all[0]!
    const values = Object.values(rest)
    return [metric ?? (values.length === 1 ? values[0]! : values.length === 0 ? expr : writeLabels(rest))]
  }
  const names = [...new Set(all.flatMap((labels) => Object.keys(labels)))]
  const varying = names.filter((name) => all.some((labels) => labels[name] !== all[0]![name]))
  return all.map((labels) => {
    const shown = varying.filter((name) => labels[name] !== undefined)
    if (shown.length === 1) return labels[shown[0]!]!
    return writeLabels(Object.fromEntries(shown.map((name) => [name, labels[name]!])))
  })
}

function writeLabels(labels: LabelSet): string {
  const { __name__: metric = '', ...rest } = labels
  const pairs = Object.entries(rest).map(([name, value]) => `${name}="${value}"`)
  return pairs.length === 0 ? metric : `${metric}{${pairs.join(', ')}}`
}

export interface FrameRequest {
  readonly refId: string
  readonly legend: string
  readonly expr: string
}

/** A range query's answer: one frame per series on the common grid, NaN where there is no sample. */
export function seriesFrames(
  series: readonly MatrixSeries[],
  request: FrameRequest,
  grid: { startMs: number; endMs: number; stepMs: number },
): DataFrame[] {
  const count = Math.max(0, Math.floor((grid.endMs - grid.startMs) / grid.stepMs) + 1)
  const x = Float64Array.from({ length: count }, (_, i) => grid.startMs + i * grid.stepMs)
  const names = seriesNames(
    series.map(({ metric }) => metric),
    request,
  )
  return series.map(({ metric, values = [] }, at) => {
    const y = new Float64Array(count).fill(Number.NaN)
    for (const [seconds, text] of values) {
      const i = Math.round((seconds * 1000 - grid.startMs) / grid.stepMs)
      if (i >= 0 && i < count) y[i] = parseSampleValue(text)
    }
    return frameOf(request.refId, names[at]!, metric, x, y)
  })
}

/** Columns on a grid that they were asked for: one frame per series, all with the same times. */
export function columnFrames(
  series: readonly { readonly metric: LabelSet; readonly values: Float64Array }[],
  request: FrameRequest,
  grid: { startMs: number; stepMs: number },
): DataFrame[] {
  const x = Float64Array.from({ length: series[0]?.values.length ?? 0 }, (_, i) => grid.startMs + i * grid.stepMs)
  const names = seriesNames(
    series.map(({ metric }) => metric),
    request,
  )
  return series.map(({ metric, values }, i) => frameOf(request.refId, names[i]!, metric, x, values))
}

/** An instant answer: one frame per sample. */
export function sampleFrames(
  samples: readonly { metric: LabelSet; value?: readonly [number, string] }[],
  request: FrameRequest,
): DataFrame[] {
  const names = seriesNames(
    samples.map(({ metric }) => metric),
    request,
  )
  return samples.map(({ metric, value }, i) =>
    frameOf(
      request.refId,
      names[i]!,
      metric,
      Float64Array.of((value?.[0] ?? 0) * 1000),
      Float64Array.of(value === undefined ? Number.NaN : parseSampleValue(value[1])),
    ),
  )
}

function frameOf(refId: string, name: string, labels: LabelSet, x: Float64Array, y: Float64Array): DataFrame {
  return {
    refId,
    name,
    length: x.length,
    fields: [timeField(x), { name: 'Value', type: 'number', labels, values: y, displayName: name }],
  }
}

function seriesNames(all: readonly LabelSet[], { legend, expr }: FrameRequest): string[] {
  if (legend === '__auto') return autoNames(all, expr)
  return all.map((labels) => legendName(labels, legend, all.length === 1, expr))
}

/** Format “table”: a row per sample, a column per label, the value's column named by the query where there are several. */
export function tableFrame(
  rows: readonly { metric: LabelSet; values: readonly (readonly [number, string])[] }[],
  refId: string,
  valueName: string,
): DataFrame {
  const names = [...new Set(rows.flatMap(({ metric }) => Object.keys(metric)))].sort()
  const flat = rows.flatMap(({ metric, values }) => values.map(([seconds, text]) => ({ metric, seconds, text })))
  const column = (name: string): Field => ({
    name,
    type: 'string',
    labels: NO_LABELS,
    values: flat.map(({ metric }) => metric[name] ?? ''),
  })
  return {
    refId,
    // The column of the values is called “Value”, not by its query.
    name: '',
    length: flat.length,
    fields: [
      timeField(Float64Array.from(flat, ({ seconds }) => seconds * 1000)),
      ...names.map(column),
      {
        name: valueName,
        type: 'number',
        labels: NO_LABELS,
        values: Float64Array.from(flat, ({ text }) => parseSampleValue(text)),
      },
    ],
  }
}

/** What a column is called before the panel's own settings have a say. */
export function fieldName(field: Field, frame: DataFrame): string {
  if (field.displayName !== undefined) return field.displayName
  if (field.type === 'time' || field.name !== 'Value') return withLabels(field)
  return Object.keys(field.labels).length > 0 ? writeLabels(field.labels) : frame.name || field.name
}

function withLabels({ name, labels }: Field): string {
  const values = Object.values(labels)
  return values.length === 0 ? name : values.length === 1 ? `${name} ${values[0]}` : `${name} ${writeLabels(labels)}`
}

export function isEmptyCell(value: Cell | undefined): boolean {
  return value === null || value === undefined || (typeof value === 'number' && Number.isNaN(value))
}
