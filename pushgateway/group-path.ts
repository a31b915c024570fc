import { isLegacyLabelName } from '../model/index.ts'
import { PushPathError } from './errors.ts'
import { unescapeName } from './name-escaping.ts'

/** The labels that name a group, `job` among them, as the path gives them. */
export type GroupLabels = Readonly<Record<string, string>>

const BASE64_SUFFIX = '@base64'

/**
 * Reads what comes behind `/metrics/`: `job/<job>{/<label>/<value>}`, where `@base64` behind a name says that its value is
 * base64 in the URL alphabet. Components are decoded after splitting, so that `%2F` is a slash inside a value.
 *
 * @param path still percent-encoded, without query
 * With `utf8Names` a name can be any text, escaped as `U__…`.
 *
 * @returns `undefined` where the path is none of a group's, which is answered with 404
 * @throws {PushPathError}
 */
export function parseGroupPath(path: string, options: { readonly utf8Names: boolean }): GroupLabels | undefined {
  const [jobName, job, ...rest] = path.split('/')
  if ((jobName !== 'job' && jobName !== `job${BASE64_SUFFIX}`) || !job) return undefined
  const jobValue =
    jobName === 'job'
      ? decodeComponent(job)
      : decodeBase64(decodeComponent(job), (why) => `invalid base64 encoding in job name "": ${why}`)
  const labels = parsePairs(rest, options.utf8Names)
  if (jobValue === '') throw new PushPathError('job name is required')
  labels.set('job', jobValue)
  return Object.fromEntries(labels)
}

function parsePairs(components: readonly string[], utf8Names: boolean): Map<string, string> {
  const labels = new Map<string, string>()
  // A single trailing slash is no component.
  if (components.length === 1 && components[0] === '') return labels
  const decoded = components.map(decodeComponent)
  if (decoded.length % 2 !== 0)
    throw new PushPathError(`odd number of components in label string ${JSON.stringify(`/${decoded.join('/')}`)}`)
  for (let i = 0; i < decoded.length; i += 2) {
    const written = decoded[i]!
    const value = decoded[i + 1]!
    const isBase64 = written.endsWith(BASE64_SUFFIX)
    const escaped = isBase64 ? written.slice(0, -BASE64_SUFFIX.length) : written
    const name = utf8Names ? unescapeName(escaped) : escaped
    if (!(utf8Names ? name !== '' : isLegacyLabelName(name)) || name.startsWith('__'))
      throw new PushPathError(`improper label name ${JSON.stringify(name)}`)
    const badBase64 = (why: string): string =>
      `invalid base64 encoding for label ${name}=${JSON.stringify(value)}: ${why}`
    labels.set(name, isBase64 ? decodeBase64(value, badBase64) : value)
  }
  return labels
}

function decodeComponent(component: string): string {
  try {
    return decodeURIComponent(component)
  } catch {
    // Broken escapes, and escapes that are no UTF-8, which no label value may be.
    throw new PushPathError(`invalid URL escape in ${JSON.stringify(component)}`)
  }
}

function decodeBase64(text: string, message: (why: string) => string): string {
  const digits = text.replace(/=+$/, '')
  const bad = digits.search(/[^A-Za-z0-9_-]/)
  const wrongAt = bad >= 0 ? bad : digits.length % 4 === 1 ? digits.length : -1
  if (wrongAt >= 0) throw new PushPathError(message(`illegal base64 data at input byte ${wrongAt}`))
  const bytes = Buffer.from(digits, 'base64url')
  const decoded = bytes.toString('utf8')
  if (!Buffer.from(decoded, 'utf8').equals(bytes)) throw new PushPathError(message('not UTF-8'))
  return decoded
}
