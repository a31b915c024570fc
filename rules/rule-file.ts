import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { errorMessage, type ParsedConfig } from '../lib/index.ts'
import { ConfigError, parseConfig } from '../lib/yaml-config.ts'
import { DurationError, METRIC_NAME, parseDuration } from '../model/index.ts'
import { parseExpr } from '../promql/index.ts'
import { alertTemplateFault } from './alert-template.ts'
import { expandGlobs } from './glob.ts'
import type { RuleConfig, RuleGroupConfig } from './rule-config.ts'

export interface RuleFileOptions {
  /** Throws where an expression is wrong. Default: PromQL's own parser. */
  readonly checkExpr?: (text: string) => void
  /** Pass over keys that rule files do not have, instead of refusing them. */
  readonly ignoreUnknownFields?: boolean
}

// Scalars arrive as text; an empty value is YAML's null.
const text = z.string()
const duration = z.string().transform((value, context) => {
  if (value === '') return 0
  try {
    return parseDuration(value)
  } catch (error) {
    if (!(error instanceof DurationError)) throw error
    context.addIssue({ code: 'custom', message: error.message })
    return z.NEVER
  }
})
const stringMap = z.union([z.literal('').transform((): Record<string, string> => ({})), z.record(text, text)])
const integer = z
  .string()
  .regex(/^\d*$/, 'expected a whole number, not negative')
  .transform((value) => Number(value))

const emptyList = z.literal('').transform(() => [])

const ruleShape = {
  record: text.default(''),
  alert: text.default(''),
  expr: text.default(''),
  for: duration.optional(),
  keep_firing_for: duration.optional(),
  labels: stringMap.default({}),
  annotations: stringMap.optional(),
}
const groupShape = {
  name: text.default(''),
  interval: duration.optional(),
  query_offset: duration.optional(),
  limit: integer.default(0),
  labels: stringMap.default({}),
}
const ruleSchema = z.strictObject(ruleShape)
const groupSchema = z.strictObject({ ...groupShape, rules: z.union([emptyList, z.array(ruleSchema)]).default([]) })
const fileSchema = z.strictObject({ groups: z.union([emptyList, z.array(groupSchema)]).default([]) })
/** The same, for files that other programs have put keys of their own into. */
const lenientSchema = z.object({
  groups: z
    .union([
      emptyList,
      z.array(z.object({ ...groupShape, rules: z.union([emptyList, z.array(z.object(ruleShape))]).default([]) })),
    ])
    .default([]),
})

type RawRule = z.output<typeof ruleSchema>
type RawGroup = z.output<typeof groupSchema>
type RawFile = z.output<typeof fileSchema>
type Path = readonly (string | number)[]
type Report = (path: Path, why: string) => void

/**
 * Reads a rule file strictly.
 *
 * @param fileName becomes part of the groups' identity
 * @throws {ConfigError} with every fault as `file:line:column: path: why`
 */
export function parseRuleFile(fileName: string, fileText: string, options: RuleFileOptions = {}): RuleGroupConfig[] {
  const parsed: ParsedConfig<RawFile> = parseConfig<RawFile>(
    fileName,
    firstDocument(fileText),
    (options.ignoreUnknownFields === true ? lenientSchema : fileSchema) as z.ZodType<RawFile>,
    {
      scalarsAsText: true,
    },
  )
  const faults: string[] = []
  const report: Report = (path, why) => faults.push(parsed.fault(path, why))
  checkGroups(parsed.value.groups, options.checkExpr ?? parseExpr, report)
  if (faults.length > 0) throw new ConfigError(faults)
  return parsed.value.groups.map((group) => groupConfig(fileName, group))
}

/**
 * Reads every file that the patterns match; a pattern without a match is fine.
 *
 * @param patterns `rule_files` of the configuration, relative to `baseFolder`
 * @throws {ConfigError} with the faults of all files
 */
export async function loadRuleFiles(
  patterns: readonly string[],
  baseFolder: string,
  options: RuleFileOptions = {},
): Promise<RuleGroupConfig[]> {
  const groups: RuleGroupConfig[] = []
  const faults: string[] = []
  for (const file of await expandGlobs(patterns, baseFolder)) {
    try {
      groups.push(...parseRuleFile(file, await readFile(file, 'utf8'), options))
    } catch (error) {
      if (error instanceof ConfigError) faults.push(...error.faults)
      else faults.push(`${file}:1:1: ${errorMessage(error)}`)
    }
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return groups
}

/** Only the first YAML document counts, as in Prometheus. A line `---` can stand nowhere but between documents. */
function firstDocument(fileText: string): string {
  const separators = fileText.matchAll(/^---(?=\s|$)/gm)
  for (const { index } of separators) {
    if (/^\s*[^#\s]/m.test(fileText.slice(0, index).replace(/^---/, ''))) return fileText.slice(0, index)
  }
  return fileText
}

// ---- checks ------------------------------------------------------------------------------------------------------------

function checkGroups(groups: readonly RawGroup[], checkExpr: (text: string) => void, report: Report): void {
  const names = new Set<string>()
  for (const [i, group] of groups.entries()) {
    const path: Path = ['groups', i]
    if (group.name === '') report(path, 'group name must not be empty')
    else if (names.has(group.name))
      report([...path, 'name'], `groupname: ${JSON.stringify(group.name)} is repeated in the same file`)
    names.add(group.name)
    checkLabelNames(group.labels, [...path, 'labels'], report)
    for (const [j, rule] of group.rules.entries()) checkRule(rule, [...path, 'rules', j], checkExpr, report)
  }
}

function checkRule(rule: RawRule, path: Path, checkExpr: (text: string) => void, report: Report): void {
  if (rule.record !== '' && rule.alert !== '') report(path, "only one of 'record' and 'alert' must be set")
  if (rule.record === '' && rule.alert === '') report(path, "one of 'record' or 'alert' must be set")
  checkExpression(rule.expr, path, checkExpr, report)
  checkLabelNames(rule.labels, [...path, 'labels'], report)
  if (rule.record !== '') checkRecordingRule(rule, path, report)
  else checkAlertingRule(rule, path, report)
}

function checkExpression(expr: string, path: Path, checkExpr: (text: string) => void, report: Report): void {
  if (expr.trim() === '') return report(path, "field 'expr' must be set in rule")
  try {
    checkExpr(expr)
  } catch (error) {
    report([...path, 'expr'], `could not parse expression: ${errorMessage(error)}`)
  }
}

function checkRecordingRule(rule: RawRule, path: Path, report: Report): void {
  for (const key of ['annotations', 'for', 'keep_firing_for'] as const) {
    if (rule[key] !== undefined && rule[key] !== 0) report([...path, key], `invalid field '${key}' in recording rule`)
  }
  // Any text can be a metric's name; braces are most likely a selector in the wrong place.
  if (/[{}]/.test(rule.record))
    report([...path, 'record'], `braces present in the recording rule name; should it be in expr?: ${rule.record}`)
}

function checkAlertingRule(rule: RawRule, path: Path, report: Report): void {
  const annotations = rule.annotations ?? {}
  for (const name of Object.keys(annotations))
    if (name === '') report([...path, 'annotations'], `invalid annotation name: ${JSON.stringify(name)}`)
  for (const key of ['labels', 'annotations'] as const) {
    for (const [name, value] of Object.entries(key === 'labels' ? rule.labels : annotations)) {
      const fault = alertTemplateFault(rule.alert, value)
      if (fault !== undefined) report([...path, key, name], fault)
    }
  }
}

function checkLabelNames(labels: Readonly<Record<string, string>>, path: Path, report: Report): void {
  for (const name of Object.keys(labels)) {
    if (name === '' || name === METRIC_NAME) report([...path, name], `invalid label name: ${name}`)
  }
}

// ---- the result --------------------------------------------------------------------------------------------------------

function groupConfig(file: string, group: RawGroup): RuleGroupConfig {
  return {
    file,
    name: group.name,
    // 0 is the same as absent.
    intervalMs: group.interval || undefined,
    queryOffsetMs: group.query_offset,
    limit: group.limit,
    rules: group.rules.map((rule) => ruleConfig(rule, group.labels)),
  }
}

function ruleConfig(rule: RawRule, groupLabels: Readonly<Record<string, string>>): RuleConfig {
  const labels = { ...groupLabels, ...rule.labels }
  if (rule.record !== '') return { kind: 'recording', name: rule.record, expr: rule.expr, labels }
  return {
    kind: 'alerting',
    name: rule.alert,
    expr: rule.expr,
    labels,
    annotations: rule.annotations ?? {},
    forMs: rule.for ?? 0,
    keepFiringForMs: rule.keep_firing_for ?? 0,
  }
}
