// Transformations that make few values of many.
import { type Cell, type DataFrame, type Field, fieldName } from './data-frame.ts'
import { flagOf, type Json, objectOf, textOf, textsOf } from './json.ts'
import { reducerName, reduceValues } from './reducers.ts'

/** A row per series with a column per reducer, or each column reduced in its place. */
export function reduceFrames(frames: readonly DataFrame[], options: Json): DataFrame[] {
  const reducers = textsOf(options.reducers)
  const wanted = reducers.length === 0 ? ['max'] : reducers
  if (options.mode === 'reduceFields') {
    return frames.map((frame) => ({
      ...frame,
      length: 1,
      fields: frame.fields
        .filter(({ type }) => type === 'number')
        .map((field) => ({
          ...field,
          displayName: fieldName(field, frame),
          values: [reduceValues(field.values, wanted[0]!)],
        })),
    }))
  }
  const withTime = flagOf(options.includeTimeField)
  const sources = frames.flatMap((frame) =>
    frame.fields
      .filter(({ type }) => type === 'number' || (withTime && type === 'time'))
      .map((field) => ({ frame, field })),
  )
  const labels = flagOf(options.labelsToFields)
    ? [...new Set(sources.flatMap(({ field }) => Object.keys(field.labels)))]
    : []
  const text = (name: string, values: string[]): Field => ({ name, type: 'string', labels: {}, values })
  const fields: Field[] = [
    text(
      'Field',
      sources.map(({ frame, field }) => (labels.length > 0 ? field.name : fieldName(field, frame))),
    ),
    ...labels.map((name) =>
      text(
        name,
        sources.map(({ field }) => field.labels[name] ?? ''),
      ),
    ),
    ...wanted.map(
      (id): Field => ({
        name: reducerName(id),
        type: 'number',
        labels: {},
        values: sources.map(({ field }) => reduceValues(field.values, id)),
      }),
    ),
  ]
  return [{ refId: frames[0]?.refId ?? 'A', name: '', length: sources.length, fields }]
}

/** @param settings column name → `{operation: 'groupby' | 'aggregate', aggregations}` */
export function groupBy(frame: DataFrame, settings: Json): DataFrame {
  const setting = (field: Field) => objectOf(settings[fieldName(field, frame)] ?? settings[field.name])
  const keys = frame.fields.filter((field) => setting(field).operation === 'groupby')
  if (keys.length === 0) return frame
  const groups = new Map<string, number[]>()
  for (let row = 0; row < frame.length; row++) {
    const key = JSON.stringify(keys.map(({ values }) => values[row] ?? null))
    const rows = groups.get(key)
    if (rows === undefined) groups.set(key, [row])
    else rows.push(row)
  }
  const rowsOf = [...groups.values()]
  const grouped = keys.map(
    (field): Field => ({ ...field, values: rowsOf.map((rows) => field.values[rows[0]!] ?? null) }),
  )
  const aggregated = frame.fields
    .filter((field) => setting(field).operation === 'aggregate')
    .flatMap((field) =>
      textsOf(setting(field).aggregations).map(
        (id): Field => ({
          name: `${fieldName(field, frame)} (${id})`,
          type: id === 'count' || field.type === 'number' ? 'number' : field.type,
          labels: {},
          values: rowsOf.map((rows) =>
            reduceValues(
              rows.map((row) => field.values[row] ?? null),
              id,
            ),
          ),
        }),
      ),
    )
  return { ...frame, length: rowsOf.length, fields: [...grouped, ...aggregated] }
}

/** A cross table of two columns over a third. */
export function groupingToMatrix(frame: DataFrame, options: Json): DataFrame {
  const byName = (name: unknown, otherwise: string) =>
    frame.fields.find(
      (field) => fieldName(field, frame) === textOf(name, otherwise) || field.name === textOf(name, otherwise),
    )
  const column = byName(options.columnField, 'Time')
  const row = byName(options.rowField, 'Time')
  const value = byName(options.valueField, 'Value')
  if (column === undefined || row === undefined || value === undefined) return frame
  const rows = [...new Set(Array.from(row.values))]
  const columns = [...new Set(Array.from(column.values))]
  const cells = new Map<string, Cell>()
  for (let i = 0; i < frame.length; i++)
    cells.set(JSON.stringify([row.values[i], column.values[i]]), value.values[i] ?? null)
  return {
    ...frame,
    length: rows.length,
    fields: [
      { name: `${row.name}\\${column.name}`, type: row.type, labels: {}, values: rows },
      ...columns.map(
        (name): Field => ({
          name: String(name),
          type: value.type,
          labels: {},
          values: rows.map((one) => cells.get(JSON.stringify([one, name])) ?? null),
        }),
      ),
    ],
  }
}
