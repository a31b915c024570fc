// Reading JSON of unknown shape: a wrong kind counts as absent, so that a board with one odd field still opens.

export type Json = Record<string, unknown>

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function objectOf(value: unknown): Json {
  return isObject(value) ? value : {}
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

export function objectsOf(value: unknown): Json[] {
  return listOf(value).filter(isObject)
}

export function textOf(value: unknown, otherwise = ''): string {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : otherwise
}

/** Numbers, also as text; `undefined` for anything else and for what is not finite. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'string' && value.trim() === '') return undefined
  const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN
  return Number.isFinite(number) ? number : undefined
}

export function flagOf(value: unknown): boolean {
  return value === true || value === 'true' || value === 1
}

export function textsOf(value: unknown): string[] {
  return listOf(value).filter((one): one is string => typeof one === 'string')
}

/** The value at a dotted path, `undefined` where any step is missing. */
export function at(value: unknown, path: string): unknown {
  let here: unknown = value
  for (const name of path.split('.')) here = isObject(here) && Object.hasOwn(here, name) ? here[name] : undefined
  return here
}

/** A copy of `target` with the value at a dotted path; names that would reach a prototype are not set. */
export function withValueAt(target: Json, path: readonly string[], value: unknown): Json {
  const [name, ...rest] = path
  if (name === undefined || name === '__proto__') return target
  return { ...target, [name]: rest.length === 0 ? value : withValueAt(objectOf(target[name]), rest, value) }
}

/** Leaves out what is `undefined`. */
export function compact(value: Json): Json {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined))
}
