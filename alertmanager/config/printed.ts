import { parseDocument, stringify, visit } from 'yaml'
import { withoutUrlPassword } from '../../lib/index.ts'
import type { RouteSettings } from '../route/route.ts'
import { printedTimers } from './route-schema.ts'
import { MASK } from './scalars.ts'

const SECRET_KEY =
  /(^|_)(password|auth_secret|client_secret|api_secret|secret_key|token|token_id|credentials|api_key|service_key|user_key|webhook_url)$|^(key|slack_api_url|api_id)$/
/** Keys that are secret only inside these lists. */
const SECRET_IN: ReadonlyMap<string, readonly string[]> = new Map([
  ['url', ['webhook_configs', 'incidentio_configs']],
  ['api_url', ['slack_configs']],
  ['access_key', ['sms_configs']],
  ['routing_key', ['pagerduty_configs']],
  ['secrets', ['http_headers']],
])

/** The file as it took effect: defaults that everybody asks about filled in, secrets masked, comments gone. */
export function printedConfig(text: string, root: RouteSettings, resolveTimeout: string): string {
  const plain = asWritten(text)
  const masked = mask(plain, []) as Record<string, Record<string, unknown>>
  return stringify({
    ...masked,
    global: { resolve_timeout: resolveTimeout, ...masked['global'] },
    route: { ...printedTimers(root), ...masked['route'] },
  })
}

/** Numbers that would come out differently (`1.10`, `+15550100`) stay the texts that they were written as. */
function asWritten(text: string): Record<string, unknown> {
  const doc = parseDocument(text, { merge: true })
  visit(doc, {
    Scalar(_key, node) {
      if (typeof node.value === 'number' && node.source !== undefined && String(node.value) !== node.source)
        node.value = node.source
    },
  })
  return (doc.toJS() ?? {}) as Record<string, unknown>
}

/** @param path of keys, from the top of an Alertmanager's configuration */
export function isSecret(path: readonly string[]): boolean {
  const key = path[path.length - 1] ?? ''
  // What an SMS gateway of one's own is told in headers is mostly what lets one in.
  const isGatewayHeader = path.at(-2) === 'headers' && path.includes('sms_configs')
  return SECRET_KEY.test(key) || isGatewayHeader || (SECRET_IN.get(key)?.some((list) => path.includes(list)) ?? false)
}

function mask(value: unknown, path: readonly string[]): unknown {
  const key = path[path.length - 1] ?? ''
  if (Array.isArray(value)) return value.map((item) => mask(item, path))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, mask(inner, [...path, name])]))
  if (value === null || value === '') return value
  if (!isSecret(path)) return typeof value === 'string' ? withoutUrlPassword(value) : value
  // Older amtool wants a webhook's URL to look like one.
  return path.includes('webhook_configs') && key === 'url' ? `http://${MASK}` : MASK
}
