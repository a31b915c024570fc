import { createMatcher, type Matcher, type MatchType } from '../../model/matcher.ts'
import type { AnchoredRegex } from '../../model/regex.ts'

const ENTRIES_MAX = 256
// Long patterns take much memory when compiled, and are rarely asked for twice.
const PATTERN_LENGTH_MAX = 2048

// A pure function remembered, one per thread: compiling takes a hundred times longer than most matches.
const compiled = new Map<string, AnchoredRegex>()

/** As `createMatcher`, but a regular expression that was compiled a short while ago is used again. @throws {Error} as it */
export function cachedMatcher(type: MatchType, name: string, value: string): Matcher {
  if (type === '=' || type === '!=' || value.length > PATTERN_LENGTH_MAX) return createMatcher(type, name, value)
  let regex = compiled.get(value)
  if (regex === undefined) {
    const matcher = createMatcher(type, name, value)
    regex = matcher.regex!
  } else {
    compiled.delete(value)
  }
  compiled.set(value, regex)
  if (compiled.size > ENTRIES_MAX) compiled.delete(compiled.keys().next().value!)
  return { type, name, value, regex }
}
