import type { XmlElement } from '@rgrove/parse-xml'
import type { HttpPeer } from '../http-kind.ts'
import { askText, DiscoveryError } from '../poll.ts'
import { childrenOf, elementAt, elementsOf, textAt, xmlRoot } from '../xml.ts'

type Argument = string | number | readonly number[]

/** Calls a method. @throws {DiscoveryError} on a fault too */
export async function xmlRpc(
  { client, timeoutMs }: HttpPeer,
  url: string,
  method: string,
  args: readonly Argument[],
): Promise<unknown> {
  const params = args.map((argument) => `<param>${encode(argument)}</param>`).join('')
  const body = `<?xml version="1.0" encoding="UTF-8"?><methodCall><methodName>${method}</methodName><params>${params}</params></methodCall>`
  const headers = { accept: 'text/xml', 'content-type': 'text/xml' }
  const { text } = await askText(client, { url, method: 'POST', headers, body, timeoutMs })
  const root = xmlRoot(text, method)
  const fault = elementAt(root, 'fault', 'value')
  if (fault) {
    const { faultString } = decode(fault) as { faultString?: unknown }
    throw new DiscoveryError(`${method}: ${String(faultString)}`)
  }
  return decode(elementAt(root, 'params', 'param', 'value'))
}

function encode(argument: Argument): string {
  if (typeof argument === 'number') return `<value><int>${argument}</int></value>`
  if (typeof argument === 'string') return `<value><string>${escapeXml(argument)}</string></value>`
  return `<value><array><data>${argument.map(encode).join('')}</data></array></value>`
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }
const escapeXml = (text: string): string => text.replace(/[&<>]/g, (character) => ENTITIES[character]!)

/** A `value` element: text where no type is named. */
function decode(value: XmlElement | undefined): unknown {
  const typed = elementsOf(value)[0]
  if (!typed) return value?.text ?? ''
  switch (typed.name) {
    case 'int':
    case 'i4':
    case 'i8':
    case 'double':
      return Number(typed.text)
    case 'boolean':
      return typed.text.trim() === '1'
    case 'array':
      return childrenOf(elementAt(typed, 'data'), 'value').map(decode)
    case 'struct':
      return Object.fromEntries(
        childrenOf(typed, 'member').map((member) => [textAt(member, 'name'), decode(elementAt(member, 'value'))]),
      )
    default:
      return typed.text
  }
}
