/** What several discoveries' sections have in common. */
import { z } from 'zod'
import { list, string } from './scalars.ts'

export const port = z.number().int().min(0).max(65_535)

export const filters = list(
  z.strictObject({
    name: z.string(),
    values: list(string).refine((values) => values.length > 0, { error: 'filter values cannot be empty' }),
  }),
)

const LABEL_REQUIREMENT =
  /^!?\s*[\w./-]+$|^[\w./-]+\s*(=|==|!=|<|>)\s*[\w.-]*$|^[\w./-]+\s+(in|notin)\s*\([\w.\s,-]*\)$/
/** As the Kubernetes API takes it. */
export const labelSelector = z
  .string()
  .refine((text) => text.trim() === '' || splitOutsideBraces(text).every((part) => LABEL_REQUIREMENT.test(part)), {
    error: 'invalid label selector',
  })

/** `a in (x,y),b=c` at the commas that stand outside of parentheses. */
const splitOutsideBraces = (text: string): string[] => text.split(/,(?![^(]*\))/).map((part) => part.trim())
