import { AppError } from '../../lib/index.ts'
import type { Matcher } from '../../model/index.ts'
import { parseSelector } from '../../promql/index.ts'

/** A selector that does not parse, or that matches everything by accident. */
export class SelectorParamError extends AppError {
  override readonly code = 'ERR_SELECTOR_PARAM'
  override readonly httpStatus = 400
}

const NAMED = 'invalid parameter "match[]": '

/** One value of `match[]`. @throws {SelectorParamError} also where all matchers match '' */
export function parseSelectorParam(text: string): Matcher[] {
  const matchers = parseAnySelectorParam(text)
  if (!matchers.every(matchesEmpty)) return matchers
  throw new SelectorParamError(`${NAMED}match[] must contain at least one non-empty matcher`)
}

/** The message of a fault as endpoints tell it that do not name the parameter. */
export const withoutParamName = (message: string): string =>
  message.startsWith(NAMED) ? message.slice(NAMED.length) : message

/** As `parseSelectorParam`, where somebody may well mean everything: `{job=~".*"}`. @throws {SelectorParamError} */
export function parseAnySelectorParam(text: string): Matcher[] {
  try {
    return parseSelector(text)
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause
    throw new SelectorParamError(`${NAMED}${cause.message}`, { cause })
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
