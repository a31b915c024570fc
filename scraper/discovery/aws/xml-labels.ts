import type { XmlElement } from '@rgrove/parse-xml'
import { type MetaLabels, sanitizeName } from '../meta-labels.ts'
import { childrenOf, elementAt, elementsOf, textAt } from '../xml.ts'
import type { AwsSession } from './aws-session.ts'

const PAGE_COUNT_MAX = 1000

/** `DBName` becomes `db_name`, `ServerlessV2PlatformVersion` `serverless_v2_platform_version`. */
export const snakeCase = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()

/** A label for each field that is plain text and not empty. @param names what a field is called where not by its own name */
export function fieldLabels(
  prefix: string,
  element: XmlElement | undefined,
  names: Readonly<Record<string, string>> = {},
): MetaLabels {
  const labels: MetaLabels = {}
  for (const field of elementsOf(element)) {
    const value = field.text.trim()
    if (elementsOf(field).length > 0 || value === '') continue
    // Times are told to the second.
    const shown = value.replace(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+Z$/, '$1Z')
    labels[prefix + (names[field.name] ?? snakeCase(field.name))] = shown
  }
  return labels
}

export const tagLabels = (prefix: string, list: XmlElement | undefined): MetaLabels =>
  Object.fromEntries(
    childrenOf(list, 'Tag').map((tag) => [`${prefix}tag_${sanitizeName(textAt(tag, 'Key'))}`, textAt(tag, 'Value')]),
  )

/** The entries of a list over all pages of the query protocol. @param more names of the parameter and the answer's field */
export async function pagedList(
  session: AwsSession,
  service: string,
  params: Readonly<Record<string, string>>,
  of: { readonly list: string; readonly entry: string; readonly more: string },
): Promise<XmlElement[]> {
  const found: XmlElement[] = []
  let token = ''
  for (let page = 0; page < PAGE_COUNT_MAX; page++) {
    const answer = await session.query(service, { ...params, ...(token !== '' && { [of.more]: token }) })
    const result = elementAt(answer, `${params['Action']}Result`)
    const list = elementAt(result, of.list)
    const entries = childrenOf(list, of.entry)
    found.push(...(entries.length > 0 ? entries : childrenOf(list, 'member')))
    token = textAt(result, of.more)
    if (token === '') break
  }
  return found
}
