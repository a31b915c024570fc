import { type Matcher, matcherText } from '../../model/index.ts'

const names = new WeakMap<readonly Matcher[], string>()

/** Equal for equal lists of matchers. Those of an expression that is kept are the same object each time. */
export function matchersName(matchers: readonly Matcher[]): string {
  let name = names.get(matchers)
  if (name === undefined) names.set(matchers, (name = matchers.map(matcherText).join('\u00ff')))
  return name
}
