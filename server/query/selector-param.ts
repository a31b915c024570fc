import { AppError } from '../../lib/index.ts'
import type { Matcher } from '../../model/index.ts'
import { parseSelector } from '../../promql/index.ts'

/** A selector that does not parse, or that matches everything by accident. */
export class SelectorParamError extends AppError {
  override readonly code = 'ERR_SELECTOR_PARAM'
  override readonly httpStatus = 400
}

/** One value of `match[]`. @throws {SelectorParamError} */
export function parseSelectorParam(text: string): Matcher[] {
  const matchers = parsed(text)
  if (!matchers.every(matchesEmpty)) return matchers
  throw new SelectorParamError('invalid parameter "match[]": match[] must contain at least one non-empty matcher')
}

function parsed(text: string): Matcher[] {
  try {
    return parseSelector(text)
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause
    throw new SelectorParamError(`invalid parameter "match[]": ${cause.message}`, { cause })
  }
}

function matchesEmpty(matcher: Matcher): boolean {
  switch (matcher.type) {
    case '=':
      return matcher.value === ''
    case '!=':
      return matcher.value !== ''
    case '=~':
      return matcher.regex!.matches('')
    case '!~':
      return !matcher.regex!.matches('')
  }
}
