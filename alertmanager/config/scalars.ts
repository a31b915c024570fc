import { RE2JS } from 're2js'
import { z } from 'zod'
import { errorMessage } from '../../lib/index.ts'
import { parseDuration } from '../../model/index.ts'

/** Numbers and booleans are texts here too, as they are written: `parseConfig` reads plain scalars as declared. */
export const text = z.string({ error: 'expected a text' })

export const flag = z.boolean({ error: 'expected true or false' })
export const count = z.int({ error: 'expected a whole number' }).nonnegative()
export const textMap = z.record(z.string(), text)

/** Milliseconds. */
export const duration = text.transform((value, context) => {
  try {
    return parseDuration(value)
  } catch (error) {
    context.addIssue({ code: 'custom', message: errorMessage(error) })
    return z.NEVER
  }
})

/** Printed configurations carry this in place of a secret; amtool reads such files back. */
export const MASK = '<secret>'

export const url = text.refine((value) => value === MASK || /^https?:\/\/[^/]/.test(value), {
  message: 'expected an http or https URL with a host',
})

/** A URL that may be made by a template. */
export const templateUrl = text.refine(
  (value) => value === MASK || value.includes('{{') || /^https?:\/\/[^/]/.test(value),
  { message: 'expected an http or https URL with a host' },
)

/** As RE2 reads it, not anchored. */
export const regex = text.transform((value, context) => tryParse(() => RE2JS.compile(value), context))

/** A regular expression's fault as the file's reader should see it. */
export function tryParse<T>(parse: () => T, context: z.RefinementCtx): T {
  try {
    return parse()
  } catch (error) {
    context.addIssue({ code: 'custom', message: errorMessage(error) })
    return z.NEVER
  }
}
