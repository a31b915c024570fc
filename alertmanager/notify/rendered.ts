import type { Notification } from './notifier.ts'
import type { Templates, Text } from './templates.ts'

/** A structure of the configuration, filled in. */
export type Rendered<T = unknown> = (notification: Notification) => Promise<T>

/**
 * A structure whose texts, keys too, are templates. A text that comes out as another kind of value (`{{ toJson … }}`, a
 * number) becomes that value, as in the original.
 */
export function renderedValue(value: unknown, templates: Templates, where: string): Rendered {
  if (typeof value === 'string') {
    const text: Text = templates.text(where, value)
    return async (notification) => typed(await text(notification))
  }
  if (Array.isArray(value)) {
    const items = value.map((item, i) => renderedValue(item, templates, `${where}[${i}]`))
    return (notification) => Promise.all(items.map((item) => item(notification)))
  }
  if (typeof value === 'object' && value !== null)
    return renderedObject(value as Record<string, unknown>, templates, where)
  return async () => value
}

export function renderedObject(
  value: Readonly<Record<string, unknown>>,
  templates: Templates,
  where: string,
): Rendered<Record<string, unknown>> {
  const entries = Object.entries(value).map(([key, inner]) => ({
    key: templates.text(`${where} key ${key}`, key),
    value: renderedValue(inner, templates, `${where}.${key}`),
  }))
  return async (notification) =>
    Object.fromEntries(
      await Promise.all(
        entries.map(async (entry) => [await entry.key(notification), await entry.value(notification)] as const),
      ),
    )
}

/**
 * Only what is JSON becomes another kind of value. The original reads it as YAML, to which many a sentence (`firing: Down`)
 * is a map.
 */
function typed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'string' || value === null ? text : value
  } catch {
    // Not JSON, so it is what it looks like: a text.
    return text
  }
}
