/** `relabel_configs` and its sisters, with what is wrong across the keys of a rule. */
import { z } from 'zod'
import { count, labelName, list, optional, regexText, string } from './scalars.ts'

const relabelAction = z.preprocess(
  (text) => (typeof text === 'string' ? text.toLowerCase() : text),
  z.enum([
    'replace',
    'keep',
    'drop',
    'keepequal',
    'dropequal',
    'hashmod',
    'labelmap',
    'labeldrop',
    'labelkeep',
    'lowercase',
    'uppercase',
  ]),
)

const NEEDS_TARGET: ReadonlySet<string> = new Set([
  'replace',
  'hashmod',
  'lowercase',
  'uppercase',
  'keepequal',
  'dropequal',
])

export const relabelConfig = z
  .strictObject({
    source_labels: list(labelName),
    separator: z.string().optional(),
    target_label: optional(string),
    regex: regexText
      .nullable()
      .transform((text) => text ?? '')
      .optional(),
    modulus: optional(count),
    replacement: z.string().optional(),
    action: relabelAction.optional(),
  })
  .superRefine((rule, context) => {
    const action = rule.action ?? 'replace'
    const fault = (message: string): void => void context.addIssue({ code: 'custom', message })
    if (action === 'hashmod' && !rule.modulus) fault('relabel configuration for hashmod requires non-zero modulus')
    if (NEEDS_TARGET.has(action) && !rule.target_label) {
      fault(`relabel configuration for ${action} action requires 'target_label' value`)
    }
    if ((action === 'lowercase' || action === 'uppercase') && (rule.replacement ?? '$1') !== '$1') {
      fault(`'replacement' can not be set for ${action} action`)
    }
    if (action === 'labeldrop' || action === 'labelkeep') {
      if (rule.source_labels.length > 0 || rule.target_label || rule.modulus || rule.replacement || rule.separator) {
        fault(`${action} action requires only 'regex', and no other fields`)
      }
    }
    if (action === 'keepequal' || action === 'dropequal') {
      if (rule.regex !== undefined || rule.modulus || rule.replacement !== undefined || rule.separator !== undefined) {
        fault(`${action} action requires only 'source_labels' and 'target_label', and no other fields`)
      }
    }
    const fixedTarget = rule.target_label && !rule.target_label.includes('$')
    if (fixedTarget && action !== 'labelmap' && !/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(rule.target_label!)) {
      fault(`${JSON.stringify(rule.target_label)} is invalid 'target_label' for ${action} action`)
    }
  })
export type RelabelFile = z.output<typeof relabelConfig>
