import { RE2JS } from 're2js'
import { errorMessage } from '../lib/errors.ts'
import { TemplateFunctionError } from './errors.ts'
import { quoteGo } from '../model/go-quote.ts'

/** @throws {TemplateFunctionError} with Go's wording */
function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern)
  } catch (error) {
    throw new TemplateFunctionError((error as Error).message, { cause: error })
  }
}

/** As Go's MustCompile, whose message names the pattern first. */
function mustCompile(pattern: string): RE2JS {
  try {
    return compile(pattern)
  } catch (error) {
    const quoted = pattern.includes('`') ? quoteGo(pattern) : `\`${pattern}\``
    throw new TemplateFunctionError(`regexp: Compile(${quoted}): ${errorMessage(error)}`, { cause: error })
  }
}

/** Whether the pattern is found anywhere in the text. @throws {TemplateFunctionError} */
export const regexpFinds = (pattern: string, text: string): boolean => compile(pattern).matcher(text).find()

/** Go's ReplaceAllString: `$1`, `${name}`, `$$` in the replacement. @throws {TemplateFunctionError} */
export function regexpReplaceAll(pattern: string, replacement: string, text: string): string {
  const regexp = mustCompile(pattern)
  const matcher = regexp.matcher(text)
  const groups = regexp.namedGroups() as Readonly<Record<string, number>>
  let out = ''
  let last = 0
  while (matcher.find()) {
    out += text.slice(last, matcher.start())
    out += expand(replacement, (name) => {
      const index = /^\d+$/.test(name) ? Number(name) : groups[name]
      return index === undefined || index > matcher.groupCount() ? '' : (matcher.group(index) ?? '')
    })
    last = matcher.end()
  }
  return out + text.slice(last)
}

/** A name is as long as it can be, so `$1x` is the group `1x`. A dollar that names nothing stays. */
function expand(template: string, group: (name: string) => string): string {
  return template.replace(/\$(?:(\$)|\{(\w+)\}|(\w+))/g, (_, dollar?: string, braced?: string, bare?: string) =>
    dollar === undefined ? group((braced ?? bare)!) : '$',
  )
}
