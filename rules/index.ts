// Recording and alerting rules: files, evaluation, alert state, and sending.
export { type AlertTemplate, type AlertTemplateData, compileAlertTemplate } from './alert-template.ts'
export type { RuleHealth } from './evaluation.ts'
export {
  type AlertingRuleConfig,
  type RecordingRuleConfig,
  type RuleConfig,
  type RuleGroupConfig,
} from './rule-config.ts'
export { loadRuleFiles, parseRuleFile, type RuleFileOptions } from './rule-file.ts'
export { createRuleManager, type RuleManager, type RuleManagerOptions, type RuleSettings } from './rule-manager.ts'
export type { AlertingRuleState, AlertInfo, RecordingRuleState, RuleGroupState, RuleState } from './rule-state.ts'
export type { AlertmanagerTarget } from './notifier/alertmanager-sender.ts'
export {
  createExternalNotifier,
  type ExternalNotifier,
  type ExternalNotifierOptions,
} from './notifier/external-notifier.ts'
export { type AlertLabelling, fanOutSink, labellingSink, type RelabelFunction } from './notifier/sinks.ts'
export { type RuleTestOptions, type RuleTestReport, runRuleTestFile } from './unit-test/run-file.ts'
export type { RuleTestFailure } from './unit-test/run-test.ts'
export { type DuplicateRule, duplicateRuleText, findDuplicateRules } from './lint.ts'
