// Go's text/template and html/template as Prometheus and Alertmanager use them.
export { alertmanagerFunctions } from './alertmanager-functions.ts'
export { TemplateExecError, TemplateParseError, type TemplatePosition } from './errors.ts'
export { GoTime } from './go-time.ts'
export { queryEscape } from './html-escape.ts'
export { goKv, type NotificationAlert, type NotificationInput, notificationData } from './notification-data.ts'
export { type PrometheusFunctionOptions, prometheusFunctions } from './prometheus-functions.ts'
export {
  type CompiledTemplate,
  compileTemplate,
  parseTemplates,
  type TemplateLimits,
  type TemplateOptions,
  type TemplateSet,
  type TemplateSource,
} from './template-set.ts'
export {
  asyncFunction,
  type FunctionMap,
  GoStruct,
  type GoValue,
  stringMap,
  templateFunction,
} from './values.ts'
