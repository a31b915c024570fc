/** `otlp`: how metrics that arrive by the OpenTelemetry protocol become series. */
import { z } from 'zod'
import { boolean, list, optional, string } from './scalars.ts'

const STRATEGIES = [
  'UnderscoreEscapingWithSuffixes',
  'UnderscoreEscapingWithoutSuffixes',
  'NoUTF8EscapingWithSuffixes',
  'NoTranslation',
] as const
export type OtlpTranslationStrategy = (typeof STRATEGIES)[number]

/** Strategies that leave names with characters which legacy validation refuses. */
export const UTF8_STRATEGIES: ReadonlySet<OtlpTranslationStrategy> = new Set([
  'NoUTF8EscapingWithSuffixes',
  'NoTranslation',
])

/** Blanks around a name are a slip; an empty or a second one is a fault. */
const attributes = (adjective: string) =>
  list(string)
    .transform((names) => names.map((name) => name.trim()))
    .superRefine((names, context) => {
      for (const [i, name] of names.entries()) {
        const why =
          name === ''
            ? `empty ${adjective} OTel resource attribute`
            : names.indexOf(name) < i
              ? `duplicated ${adjective} OTel resource attribute ${JSON.stringify(name)}`
              : undefined
        if (why !== undefined) context.addIssue({ code: 'custom', path: [i], message: why })
      }
    })

export const otlpSchema = z
  .strictObject({
    promote_resource_attributes: attributes('promoted'),
    promote_all_resource_attributes: optional(boolean),
    ignore_resource_attributes: attributes('ignored'),
    translation_strategy: optional(
      z.enum(STRATEGIES, {
        error: (issue) => `unsupported OTLP translation strategy ${JSON.stringify(issue.input)}`,
      }),
    ),
    keep_identifying_resource_attributes: optional(boolean),
    convert_histograms_to_nhcb: optional(boolean),
    promote_scope_metadata: optional(boolean),
    label_name_underscore_sanitization: optional(boolean),
    label_name_preserve_multiple_underscores: optional(boolean),
  })
  .superRefine((file, context) => {
    const fault = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message })
    const isAll = file.promote_all_resource_attributes === true
    if (isAll && file.promote_resource_attributes.length > 0) {
      fault(
        'promote_resource_attributes',
        "'promote_all_resource_attributes' and 'promote_resource_attributes' cannot be configured simultaneously",
      )
    }
    if (!isAll && file.ignore_resource_attributes.length > 0) {
      fault(
        'ignore_resource_attributes',
        "'ignore_resource_attributes' cannot be configured unless 'promote_all_resource_attributes' is true",
      )
    }
  })
export type OtlpFile = z.output<typeof otlpSchema>

/** How metrics of the OpenTelemetry protocol are taken in. */
export interface OtlpConfig {
  readonly promoteResourceAttributes: readonly string[]
  readonly promoteAllResourceAttributes: boolean
  /** Of those that are all promoted. */
  readonly ignoreResourceAttributes: readonly string[]
  readonly translationStrategy: OtlpTranslationStrategy
  readonly keepIdentifyingResourceAttributes: boolean
  readonly convertHistogramsToNhcb: boolean
  readonly promoteScopeMetadata: boolean
  readonly labelNameUnderscoreSanitization: boolean
  readonly labelNamePreserveMultipleUnderscores: boolean
}

export function otlpConfigOf(file: OtlpFile | undefined): OtlpConfig {
  return {
    promoteResourceAttributes: file?.promote_resource_attributes ?? [],
    promoteAllResourceAttributes: file?.promote_all_resource_attributes ?? false,
    ignoreResourceAttributes: file?.ignore_resource_attributes ?? [],
    translationStrategy: file?.translation_strategy ?? 'UnderscoreEscapingWithSuffixes',
    keepIdentifyingResourceAttributes: file?.keep_identifying_resource_attributes ?? false,
    convertHistogramsToNhcb: file?.convert_histograms_to_nhcb ?? false,
    promoteScopeMetadata: file?.promote_scope_metadata ?? false,
    labelNameUnderscoreSanitization: file?.label_name_underscore_sanitization ?? true,
    labelNamePreserveMultipleUnderscores: file?.label_name_preserve_multiple_underscores ?? true,
  }
}
