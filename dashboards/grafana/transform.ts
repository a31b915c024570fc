// The transformations boards use, in their order; one that is not known is named, so that the panel can say so.
import { type Cell, type DataFrame, type Field, fieldName, isEmptyCell } from './data-frame.ts'
import type { Transformation } from './dashboard.ts'
import { compares, patternOf } from './field-settings.ts'
import { type Json, flagOf, listOf, numberOf, objectOf, objectsOf, textOf, textsOf } from './json.ts'
import { calculateField } from './transform-calculate.ts'
import { joinByField, mergeFrames, seriesToRows } from './transform-join.ts'
import { groupBy, groupingToMatrix, reduceFrames } from './transform-reduce.ts'

type Transform = (frames: readonly DataFrame[], options: Json) => DataFrame[]

const TRANSFORMS: Readonly<Record<string, Transform>> = {
  organize: (frames, options) => frames.map((frame) => organize(frame, options)),
  merge: (frames) => mergeFrames(frames),
  joinByField: (frames, options) => joinByField(frames, options),
  seriesToColumns: (frames, options) => joinByField(frames, options),
  seriesToRows: (frames) => seriesToRows(frames),
  concatenate: (frames) => concatenate(frames),
  filterFieldsByName: (frames, options) =>
    frames.map((frame) => filterFields(frame, options)).filter(({ fields }) => fields.length > 0),
  filterByRefId: (frames, options) => frames.filter(({ refId }) => refMatches(refId, options)),
  filterByValue: (frames, options) => frames.map((frame) => filterRows(frame, options)),
  groupBy: (frames, options) => frames.map((frame) => groupBy(frame, objectOf(options.fields))),
  groupingToMatrix: (frames, options) => frames.map((frame) => groupingToMatrix(frame, options)),
  renameByRegex: (frames, options) => frames.map((frame) => renameByRegex(frame, options)),
  reduce: (frames, options) => reduceFrames(frames, options),
  calculateField: (frames, options) => frames.map((frame) => calculateField(frame, options)),
  sortBy: (frames, options) => frames.map((frame) => sortBy(frame, options)),
  labelsToFields: (frames, options) => labelsToFields(frames, options),
  limit: (frames, options) =>
    frames.map((frame) => takeRows(frame, range(Math.min(frame.length, numberOf(options.limitField) ?? 10)))),
  convertFieldType: (frames, options) => frames.map((frame) => convertFields(frame, options)),
  // Ours are prepared already; a time series stays one.
  prepareTimeSeries: (frames) => [...frames],
  timeSeriesTable: (frames) => timeSeriesTable(frames),
}

export interface TransformResult {
  readonly frames: readonly DataFrame[]
  /** Ids of transformations that are not known and were left out. */
  readonly unknown: readonly string[]
}

export function applyTransformations(
  frames: readonly DataFrame[],
  transformations: readonly Transformation[],
): TransformResult {
  const unknown: string[] = []
  let current = frames
  for (const { id, options, disabled, refId } of transformations) {
    if (disabled) continue
    const transform = TRANSFORMS[id]
    if (transform === undefined) {
      unknown.push(id)
      continue
    }
    if (refId === undefined) current = transform(current, options)
    else {
      const chosen = current.filter((frame) => refMatches(frame.refId, { include: refId }))
      current = [...transform(chosen, options), ...current.filter((frame) => !chosen.includes(frame))]
    }
  }
  return { frames: current, unknown }
}

const range = (count: number): number[] => Array.from({ length: Math.max(0, count) }, (_, i) => i)

function refMatches(refId: string, { include }: Json): boolean {
  return patternOf(`^(?:${textOf(include, '.*')})$`)?.test(refId) === true
}

export function takeRows(frame: DataFrame, rows: readonly number[]): DataFrame {
  return {
    ...frame,
    length: rows.length,
    fields: frame.fields.map((field) => ({ ...field, values: rows.map((row) => field.values[row] ?? null) })),
  }
}

function organize(frame: DataFrame, options: Json): DataFrame {
  const excluded = objectOf(options.excludeByName)
  const included = objectOf(options.includeByName)
  const order = objectOf(options.indexByName)
  const renamed = objectOf(options.renameByName)
  const onlyIncluded = Object.values(included).some(flagOf)
  const named = frame.fields.map((field, i) => ({ field, name: fieldName(field, frame), i }))
  const kept = named.filter(
    ({ field, name }) =>
      !flagOf(excluded[name]) &&
      !flagOf(excluded[field.name]) &&
      (!onlyIncluded || flagOf(included[name]) || flagOf(included[field.name])),
  )
  const place = ({ field, name, i }: (typeof named)[number]) =>
    numberOf(order[name]) ?? numberOf(order[field.name]) ?? 1000 + i
  const fields = kept
    .sort((a, b) => place(a) - place(b) || a.i - b.i)
    .map(({ field, name }) => {
      const wanted = textOf(renamed[name]) || textOf(renamed[field.name])
      return wanted === '' ? field : { ...field, displayName: wanted }
    })
  return { ...frame, fields }
}

function concatenate(frames: readonly DataFrame[]): DataFrame[] {
  if (frames.length < 2) return [...frames]
  const length = Math.max(...frames.map((frame) => frame.length))
  const fields = frames.flatMap((frame) =>
    frame.fields.map((field) => ({ ...field, displayName: field.displayName ?? fieldName(field, frame) })),
  )
  return [{ refId: frames[0]!.refId, name: '', length, fields }]
}

function filterFields(frame: DataFrame, options: Json): DataFrame {
  const test = (filter: unknown): ((name: string) => boolean) | undefined => {
    const { names, pattern } = objectOf(filter)
    const list = new Set(textsOf(names))
    const matcher = textOf(pattern) === '' ? undefined : patternOf(textOf(pattern))
    return list.size === 0 && matcher === undefined
      ? undefined
      : (name) => list.has(name) || matcher?.test(name) === true
  }
  const include = test(options.include)
  const exclude = test(options.exclude)
  const fields = frame.fields.filter((field) => {
    const name = fieldName(field, frame)
    return (include?.(name) ?? true) && !(exclude?.(name) ?? false)
  })
  return { ...frame, fields }
}

function filterRows(frame: DataFrame, options: Json): DataFrame {
  const tests = objectsOf(options.filters).map((filter) => {
    const field = frame.fields.find(
      (one) => fieldName(one, frame) === filter.fieldName || one.name === filter.fieldName,
    )
    const { id, options: given } = objectOf(filter.config)
    return field === undefined ? undefined : { field, fits: rowTest(textOf(id), objectOf(given)) }
  })
  const known = tests.filter((one) => one !== undefined)
  if (known.length === 0) return frame
  const rows = range(frame.length).filter((row) => {
    const fits = ({ field, fits: test }: (typeof known)[number]) => test(field.values[row] ?? null)
    const hit = options.match === 'all' ? known.every(fits) : known.some(fits)
    return hit === (options.type !== 'exclude')
  })
  return takeRows(frame, rows)
}

function rowTest(id: string, { value, from, to }: Json): (cell: Cell) => boolean {
  const number = numberOf(value) ?? Number.NaN
  const ops: Readonly<Record<string, string>> = {
    greater: 'gt',
    greaterOrEqual: 'gte',
    lower: 'lt',
    lowerOrEqual: 'lte',
  }
  const op = ops[id]
  if (op !== undefined) return (cell) => compares(Number(cell), op, number)
  if (id === 'equal') return (cell) => String(cell) === textOf(value)
  if (id === 'notEqual') return (cell) => String(cell) !== textOf(value)
  if (id === 'isNull') return isEmptyCell
  if (id === 'isNotNull') return (cell) => !isEmptyCell(cell)
  if (id === 'between') return (cell) => Number(cell) > (numberOf(from) ?? 0) && Number(cell) < (numberOf(to) ?? 0)
  if (id === 'regex') return (cell) => patternOf(textOf(value))?.test(String(cell)) === true
  if (id === 'substring') return (cell) => String(cell).includes(textOf(value))
  return () => true
}

function renameByRegex(frame: DataFrame, options: Json): DataFrame {
  const pattern = patternOf(textOf(options.regex))
  if (pattern === undefined || textOf(options.regex) === '') return frame
  const rename = (field: Field): Field => {
    const name = fieldName(field, frame)
    return pattern.test(name) ? { ...field, displayName: name.replace(pattern, textOf(options.renamePattern)) } : field
  }
  return { ...frame, fields: frame.fields.map(rename) }
}

function sortBy(frame: DataFrame, options: Json): DataFrame {
  const [first] = objectsOf(options.sort)
  const wanted = textOf(first?.field)
  const field = frame.fields.find((one) => fieldName(one, frame) === wanted || one.name === wanted)
  if (field === undefined) return frame
  const sign = flagOf(first?.desc) ? -1 : 1
  const rows = range(frame.length).sort((a, b) => sign * compareCells(field.values[a] ?? null, field.values[b] ?? null))
  return takeRows(frame, rows)
}

export function compareCells(a: Cell, b: Cell): number {
  if (isEmptyCell(a) || isEmptyCell(b)) return Number(isEmptyCell(b)) - Number(isEmptyCell(a))
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return String(a).localeCompare(String(b), 'en', { numeric: true })
}

/** Labels become columns; afterwards the frames are one table, as they are from version 9 on. */
function labelsToFields(frames: readonly DataFrame[], options: Json): DataFrame[] {
  const keep = textsOf(options.keepLabels)
  const valueLabel = textOf(options.valueLabel)
  if (options.mode === 'rows') return labelRows(frames)
  const flat = frames.map((frame) => {
    const source = frame.fields.find(({ labels }) => Object.keys(labels).length > 0)
    const labels = Object.entries(source?.labels ?? {}).filter(([name]) => keep.length === 0 || keep.includes(name))
    const columns = labels
      .filter(([name]) => name !== valueLabel)
      .map(
        ([name, value]): Field => ({ name, type: 'string', labels: {}, values: range(frame.length).map(() => value) }),
      )
    const fields = frame.fields.map((field): Field => {
      if (field !== source) return field
      const name = valueLabel === '' ? field.name : (source.labels[valueLabel] ?? field.name)
      return { name, type: field.type, labels: {}, values: field.values }
    })
    return {
      ...frame,
      fields: [
        ...fields.filter(({ type }) => type === 'time'),
        ...columns,
        ...fields.filter(({ type }) => type !== 'time'),
      ],
    }
  })
  return mergeFrames(flat)
}

function labelRows(frames: readonly DataFrame[]): DataFrame[] {
  const rows = frames.flatMap((frame) => frame.fields.flatMap(({ labels }) => Object.entries(labels)))
  const column = (name: string, values: string[]): Field => ({ name, type: 'string', labels: {}, values })
  return [
    {
      refId: frames[0]?.refId ?? 'A',
      name: '',
      length: rows.length,
      fields: [
        column(
          'label',
          rows.map(([name]) => name),
        ),
        column(
          'value',
          rows.map(([, value]) => value),
        ),
      ],
    },
  ]
}

function convertFields(frame: DataFrame, options: Json): DataFrame {
  const wanted = new Map(
    listOf(options.conversions).map((one) => [
      textOf(objectOf(one).targetField),
      textOf(objectOf(one).destinationType),
    ]),
  )
  const convert = (field: Field): Field => {
    const type = wanted.get(fieldName(field, frame)) ?? wanted.get(field.name)
    const values = Array.from(field.values)
    if (type === 'number')
      return {
        ...field,
        type: 'number',
        values: values.map((one) => (one === null || one === '' ? Number.NaN : Number(one))),
      }
    if (type === 'string')
      return { ...field, type: 'string', values: values.map((one) => (one === null ? '' : String(one))) }
    if (type === 'time')
      return {
        ...field,
        type: 'time',
        values: values.map((one) => (typeof one === 'string' ? Date.parse(one) : Number(one))),
      }
    return type === 'boolean' ? { ...field, type: 'boolean', values: values.map(Boolean) } : field
  }
  return { ...frame, fields: frame.fields.map(convert) }
}

/** A row per series: its labels and its newest value. */
function timeSeriesTable(frames: readonly DataFrame[]): DataFrame[] {
  const refIds = [...new Set(frames.map(({ refId }) => refId))]
  return refIds.map((refId) => {
    const own = frames.filter((frame) => frame.refId === refId)
    const sources = own.map((frame) => frame.fields.find(({ type }) => type === 'number'))
    const names = [...new Set(sources.flatMap((field) => Object.keys(field?.labels ?? {})))]
    const trend: Field = {
      name: `Trend #${refId}`,
      type: 'number',
      labels: {},
      values: sources.map((field) => {
        const values = Array.from(field?.values ?? []).filter((one) => !isEmptyCell(one))
        return values.at(-1) ?? null
      }),
    }
    const columns = names.map(
      (name): Field => ({
        name,
        type: 'string',
        labels: {},
        values: sources.map((field) => field?.labels[name] ?? ''),
      }),
    )
    return { refId, name: refId, length: own.length, fields: [...columns, trend] }
  })
}
