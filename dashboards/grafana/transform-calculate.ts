// A field that is calculated from those of its frame: row by row, of two fields, of one, or the number of the row.
import { type Cell, type DataFrame, type Field, fieldName } from './data-frame.ts'
import { type Json, numberOf, objectOf, textOf, textsOf } from './json.ts'

const rowsOf = ({ length }: DataFrame): number[] => Array.from({ length }, (_, row) => row)

/** A frame with one more field, made of its others. */
export function calculateField(frame: DataFrame, options: Json): DataFrame {
  const mode = textOf(options.mode, 'reduceRow')
  const numbers = frame.fields.filter(({ type }) => type === 'number')
  const byName = (name: unknown) =>
    frame.fields.find((field) => fieldName(field, frame) === name || field.name === name)
  const wanted = textsOf(objectOf(options[mode === 'reduceRow' ? 'reduce' : mode]).include)
  const chosen = wanted.length === 0 ? numbers : numbers.filter((field) => wanted.includes(fieldName(field, frame)))
  const added = (values: ArrayLike<Cell>, name: string): Field => ({
    name: textOf(options.alias) || name,
    type: 'number',
    labels: {},
    values,
    displayName: textOf(options.alias) || name,
  })
  let field: Field | undefined
  if (mode === 'binary') field = binaryField(objectOf(options.binary), byName, frame, added)
  else if (mode === 'index') field = added(rowsOf(frame), 'Row')
  else if (mode === 'unary') {
    const unary = objectOf(options.unary)
    const source = byName(unary.fieldName)
    const math = UNARY[textOf(unary.operator)]
    if (source !== undefined && math !== undefined)
      field = added(
        rowsOf(frame).map((row) => math(Number(source.values[row]))),
        textOf(unary.operator),
      )
  } else {
    const reducer = textOf(objectOf(options.reduce).reducer, 'sum')
    field = added(
      rowsOf(frame).map((row) =>
        reduceRow(
          chosen.map(({ values }) => values[row] ?? null),
          reducer,
        ),
      ),
      reducer,
    )
  }
  if (field === undefined) return frame
  const kept = options.replaceFields === true ? frame.fields.filter(({ type }) => type === 'time') : frame.fields
  return { ...frame, fields: [...kept, field] }
}

const UNARY: Readonly<Record<string, (value: number) => number>> = {
  abs: Math.abs,
  exp: Math.exp,
  ln: Math.log,
  floor: Math.floor,
  ceil: Math.ceil,
  round: Math.round,
}

function binaryField(
  { left, operator, right }: Json,
  byName: (name: unknown) => Field | undefined,
  frame: DataFrame,
  added: (values: ArrayLike<Cell>, name: string) => Field,
): Field | undefined {
  const side = (given: unknown) => {
    const name =
      typeof given === 'object' && given !== null
        ? (objectOf(objectOf(given).matcher).options ?? objectOf(given).fixed)
        : given
    const field = byName(name)
    if (field !== undefined) return (row: number) => Number(field.values[row] ?? Number.NaN)
    const constant = numberOf(name)
    return constant === undefined ? undefined : () => constant
  }
  const [a, b] = [side(left), side(right)]
  if (a === undefined || b === undefined) return undefined
  const math = (x: number, y: number) =>
    operator === '-'
      ? x - y
      : operator === '*'
        ? x * y
        : operator === '/'
          ? x / y
          : operator === '%'
            ? x % y
            : operator === '**'
              ? x ** y
              : x + y
  return added(
    rowsOf(frame).map((row) => math(a(row), b(row))),
    `${textOf(left)} ${textOf(operator)} ${textOf(right)}`,
  )
}

function reduceRow(cells: readonly Cell[], reducer: string): number {
  const numbers = cells.map(Number).filter((one) => !Number.isNaN(one))
  if (numbers.length === 0) return Number.NaN
  const sum = numbers.reduce((total, one) => total + one, 0)
  if (reducer === 'mean') return sum / numbers.length
  if (reducer === 'min') return Math.min(...numbers)
  if (reducer === 'max') return Math.max(...numbers)
  if (reducer === 'count') return numbers.length
  if (reducer === 'last' || reducer === 'lastNotNull') return numbers.at(-1)!
  return reducer === 'first' ? numbers[0]! : sum
}
