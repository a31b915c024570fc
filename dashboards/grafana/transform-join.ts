// Transformations that make one frame of several.
import { type Cell, type DataFrame, type Field, fieldName } from './data-frame.ts'
import { type Json, textOf } from './json.ts'

/** One table: rows with the same values in all the columns that frames share become one row. */
export function mergeFrames(frames: readonly DataFrame[]): DataFrame[] {
  const filled = frames.filter(({ fields, length }) => fields.length > 0 && length > 0)
  if (filled.length < 2) return filled.length === 0 ? frames.slice(0, 1) : filled
  const named = filled.map((frame) => frame.fields.map((field) => ({ field, name: mergeName(field, frame) })))
  const columns = new Map<string, Field>()
  for (const fields of named) for (const { field, name } of fields) if (!columns.has(name)) columns.set(name, field)
  const shared = [...columns.keys()].filter((name) => named.every((fields) => fields.some((one) => one.name === name)))
  const rows = new Map<string, Map<string, Cell>>()
  let serial = 0
  filled.forEach((frame, at) => {
    for (let row = 0; row < frame.length; row++) {
      const cells = new Map(named[at]!.map(({ field, name }) => [name, field.values[row] ?? null]))
      const key = JSON.stringify(shared.map((name) => cells.get(name)))
      const known = rows.get(key)
      // A row merges only where it adds columns; the same columns again are another row.
      const clashes =
        known !== undefined &&
        [...cells].some(([name, cell]) => !shared.includes(name) && known.has(name) && known.get(name) !== cell)
      if (known === undefined) rows.set(key, cells)
      else if (clashes || shared.length === cells.size) rows.set(`${key}#${serial++}`, cells)
      else for (const [name, cell] of cells) known.set(name, cell)
    }
  })
  const all = [...rows.values()]
  const fields = [...columns].map(
    ([name, field]): Field => ({
      ...field,
      name,
      values: all.map((cells) => (cells.has(name) ? cells.get(name)! : null)),
    }),
  )
  return [{ refId: filled[0]!.refId, name: '', length: all.length, fields }]
}

function mergeName(field: Field, frame: DataFrame): string {
  return field.type === 'number' && field.displayName !== undefined
    ? field.displayName
    : field.name === 'Value'
      ? fieldName(field, frame)
      : field.name
}

/** Frames side by side on the values of one column, the time where none is named; `inner` keeps only what all have. */
export function joinByField(frames: readonly DataFrame[], options: Json): DataFrame[] {
  const wanted = textOf(options.byField)
  const keyOf = (frame: DataFrame) =>
    wanted === ''
      ? frame.fields.find(({ type }) => type === 'time')
      : frame.fields.find((field) => fieldName(field, frame) === wanted || field.name === wanted)
  const joined = frames
    .map((frame) => ({ frame, key: keyOf(frame) }))
    .filter((one): one is { frame: DataFrame; key: Field } => one.key !== undefined)
  if (joined.length === 0) return [...frames]
  if (joined.length === 1 && frames.length === 1) return [...frames]
  const indexes = joined.map(({ frame, key }) => {
    const index = new Map<Cell, number>()
    for (let row = 0; row < frame.length; row++)
      if (!index.has(key.values[row] ?? null)) index.set(key.values[row] ?? null, row)
    return index
  })
  let keys = [...new Set(indexes.flatMap((index) => [...index.keys()]))]
  if (options.mode === 'inner') keys = keys.filter((key) => indexes.every((index) => index.has(key)))
  const first = joined[0]!.key
  if (first.type === 'time') keys.sort((a, b) => Number(a) - Number(b))
  const taken = new Map<string, number>()
  const columns = joined.flatMap(({ frame, key }, at) =>
    frame.fields
      .filter((field) => field !== key)
      .map((field): Field => {
        const name = uniqueName(field.type === 'time' ? field.name : field.name, taken)
        return {
          ...field,
          name,
          displayName:
            field.displayName ?? (Object.keys(field.labels).length > 0 ? fieldName(field, frame) : undefined),
          values: keys.map((one) => {
            const row = indexes[at]!.get(one)
            return row === undefined ? (field.type === 'number' ? Number.NaN : null) : (field.values[row] ?? null)
          }),
        }
      }),
  )
  return [
    { refId: joined[0]!.frame.refId, name: '', length: keys.length, fields: [{ ...first, values: keys }, ...columns] },
  ]
}

function uniqueName(name: string, taken: Map<string, number>): string {
  const count = (taken.get(name) ?? 0) + 1
  taken.set(name, count)
  return count === 1 ? name : `${name} ${count}`
}

/** One long table: time, which series, value; newest first. */
export function seriesToRows(frames: readonly DataFrame[]): DataFrame[] {
  const rows = frames.flatMap((frame) => {
    const time = frame.fields.find(({ type }) => type === 'time')
    const value = frame.fields.find(({ type }) => type === 'number')
    if (time === undefined || value === undefined) return []
    const metric = fieldName(value, frame)
    return Array.from({ length: frame.length }, (_, i) => ({
      time: time.values[i] ?? null,
      metric,
      value: value.values[i] ?? null,
    }))
  })
  rows.sort((a, b) => Number(b.time) - Number(a.time))
  const column = (name: string, type: Field['type'], values: Cell[]): Field => ({ name, type, labels: {}, values })
  return [
    {
      refId: frames[0]?.refId ?? 'A',
      name: '',
      length: rows.length,
      fields: [
        column(
          'Time',
          'time',
          rows.map(({ time }) => time),
        ),
        column(
          'Metric',
          'string',
          rows.map(({ metric }) => metric),
        ),
        column(
          'Value',
          'number',
          rows.map(({ value }) => value),
        ),
      ],
    },
  ]
}
