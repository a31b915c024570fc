import type { Labels, QueryFunction } from '../model/index.ts'
import { labelsToRecord } from '../model/index.ts'
import {
  type CompiledTemplate,
  compileTemplate,
  GoStruct,
  prometheusFunctions,
  stringMap,
  TemplateParseError,
} from '../template/index.ts'

/** What a rule's templates can reach. */
export interface AlertTemplateData {
  /** Of the sample that made the alert, the metric's name included. */
  readonly labels: Labels
  readonly externalLabels: Labels
  readonly externalUrl: string
  readonly value: number
  readonly timeMs: number
  readonly query: QueryFunction
}

/** One label value or annotation of an alerting rule. */
export interface AlertTemplate {
  /** @throws {TemplateExecError} */
  expand(data: AlertTemplateData): Promise<string>
}

// Columns in error messages count from here, as users know them.
const SHORTHANDS =
  '{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}'

const DATA_TYPE =
  'struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }'

// Names and arities only: each run brings functions with its own time and query.
const KNOWN_FUNCTIONS = prometheusFunctions({
  query: () => Promise.reject(new Error('no query function')),
  timeMs: 0,
  externalUrl: '',
})

/** @throws {TemplateParseError} */
export function compileAlertTemplate(alertName: string, text: string): AlertTemplate {
  const compiled = compileTemplate(
    { name: `__alert_${alertName}`, text: SHORTHANDS + text },
    { functions: KNOWN_FUNCTIONS },
  )
  // Most labels and many annotations are plain text.
  if (!text.includes('{{')) return { expand: async () => text }
  return { expand: (data) => expand(compiled, data) }
}

function expand(compiled: CompiledTemplate, data: AlertTemplateData): Promise<string> {
  const { query, timeMs, externalUrl } = data
  const root = new GoStruct(DATA_TYPE, {
    Labels: stringMap(labelsToRecord(data.labels)),
    ExternalLabels: stringMap(labelsToRecord(data.externalLabels)),
    ExternalURL: externalUrl,
    Value: data.value,
  })
  return compiled.execute(root, prometheusFunctions({ query, timeMs, externalUrl }))
}

/** Why the text is no template, or `undefined` when it is one. */
export function alertTemplateFault(alertName: string, text: string): string | undefined {
  try {
    compileAlertTemplate(alertName, text)
    return undefined
  } catch (error) {
    if (error instanceof TemplateParseError) return error.message
    throw error
  }
}
