import { AppError } from '../lib/errors.ts'

/** Where in a template's text a fault is. Lines count from 1, columns from 0 (bytes), as Go prints them. */
export interface TemplatePosition {
  readonly name: string
  readonly line: number
  readonly column: number
}

/** The text is no template: `template: name:line: why`. */
export class TemplateParseError extends AppError {
  override readonly code = 'ERR_TEMPLATE_PARSE'
  override readonly httpStatus = 400
  readonly position: TemplatePosition

  constructor(position: TemplatePosition, why: string, options?: ErrorOptions) {
    super(`template: ${position.name}:${position.line}: ${why}`, options)
    this.position = position
  }
}

/** A template stopped while it ran: `template: name:line:column: executing "name" at <node>: why`. Its output is lost. */
export class TemplateExecError extends AppError {
  override readonly code = 'ERR_TEMPLATE_EXEC'
  override readonly httpStatus = 422
}

/** What a function throws to say why it cannot answer; the evaluator adds the place. */
export class TemplateFunctionError extends AppError {
  override readonly code = 'ERR_TEMPLATE_FUNCTION'
  override readonly httpStatus = 422
}
