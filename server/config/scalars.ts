/** The scalar types of Prometheus' configuration as zod schemas; units are settled at this door (milliseconds, bytes). */
import { z } from 'zod'
import { compileAnchored, isLegacyLabelName, parseDuration } from '../../model/index.ts'
import { parseSize } from '../flags.ts'

/** Runs `read` on a string and turns what it throws into the fault of that place. */
function read<T>(expected: string, reader: (text: string) => T) {
  return z.string({ error: `expected ${expected}` }).transform((text, context): T => {
    try {
      return reader(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
      return z.NEVER
    }
  })
}

/** `15s`, `1h30m`; in milliseconds. */
export const duration = read('a duration such as 15s', parseDuration)

/** `512MB`; in bytes, units are powers of 1024. */
export const size = z.union([z.literal(0), read('a size such as 512MB', parseSize)], {
  error: 'expected a size such as 512MB',
})

/** RE2, kept as text after it has been compiled once. */
export const regexText = read('a regular expression', (text) => {
  compileAnchored(text)
  return text
})

export const labelName = z
  .string()
  .refine(isLegacyLabelName, { error: (issue) => `${JSON.stringify(issue.input)} is not a valid label name` })

export const httpUrl = z
  .string()
  .refine((text) => /^https?:\/\/[^/]+/.test(text) && URL.canParse(text), { error: 'expected an http or https URL' })

// One of each for all keys: a schema weighs a kilobyte, and hundreds of keys are of these.
export const string = z.string()
export const boolean = z.boolean()

/** YAML writes `key:` without a value as null, which Prometheus takes as "not given". */
export const optional = once(<T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value): z.output<T> | undefined => value ?? undefined),
)

/** A list that may be left out or empty. */
export const list = once(<T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []),
)

/** The same schema gives the same one again. */
function once<Make extends (schema: z.ZodType) => z.ZodType>(make: Make): Make {
  const made = new WeakMap<z.ZodType, z.ZodType>()
  return ((schema) => {
    let result = made.get(schema)
    if (result === undefined) made.set(schema, (result = make(schema)))
    return result
  }) as Make
}

/** A label without a value is none, as one with an empty value. */
const labelText = z
  .string()
  .nullable()
  .transform((text) => text ?? '')
export const labelMap = z
  .record(z.string(), labelText)
  .nullish()
  .transform((map) => map ?? {})

export const count = z.number().int().nonnegative()

/** `<secret>` in everything that is shown. */
export const secret = z.string()
