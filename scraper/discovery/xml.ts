import { parseXml, XmlElement } from '@rgrove/parse-xml'
import { DiscoveryError } from './poll.ts'

/** The root of a document. @param what that answered it, for the fault @throws {DiscoveryError} */
export function xmlRoot(text: string, what: string): XmlElement {
  try {
    const { root } = parseXml(text)
    if (root) return root
  } catch (cause) {
    throw new DiscoveryError(`${what} answered no XML`, { cause })
  }
  throw new DiscoveryError(`${what} answered nothing`)
}

/** The elements of that name right below, in order. */
export const childrenOf = (element: XmlElement | undefined, name: string): XmlElement[] =>
  (element?.children ?? []).filter((child): child is XmlElement => child instanceof XmlElement && child.name === name)

/** The element at the end of a path of names. */
export const elementAt = (element: XmlElement | undefined, ...path: string[]): XmlElement | undefined =>
  path.reduce<XmlElement | undefined>((at, name) => childrenOf(at, name)[0], element)

/** The text at the end of a path of names, '' where there is none. */
export const textAt = (element: XmlElement | undefined, ...path: string[]): string =>
  elementAt(element, ...path)?.text.trim() ?? ''

/** All elements right below, in order. */
export const elementsOf = (element: XmlElement | undefined): XmlElement[] =>
  (element?.children ?? []).filter((child): child is XmlElement => child instanceof XmlElement)
