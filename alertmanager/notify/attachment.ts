import type { Notification } from './notifier.ts'
import type { Service } from './service.ts'
import type { Text } from './templates.ts'

interface FieldSettings {
  readonly title?: string | undefined
  readonly value?: string | undefined
  readonly short?: boolean | undefined
}

export interface AttachmentField {
  readonly title: string
  readonly value: string
  readonly short: boolean
}

/** A chat attachment's table of titles and values. */
export function attachmentFields(
  service: Service,
  what: string,
  settings: readonly FieldSettings[],
  shortByDefault: boolean,
): (notification: Notification) => Promise<AttachmentField[]> {
  const fields = settings.map(({ title, value, short }, i) => ({
    title: service.text(`${what}.${i}.title`, title),
    value: service.text(`${what}.${i}.value`, value),
    short: short ?? shortByDefault,
  }))
  return (notification) =>
    Promise.all(
      fields.map(async ({ title, value, short }) => ({
        title: await title(notification),
        value: await value(notification),
        short,
      })),
    )
}

/** Texts by name, all filled in. */
export async function filledIn<K extends string>(
  texts: Readonly<Record<K, Text>>,
  notification: Notification,
): Promise<Record<K, string>> {
  const names = Object.keys(texts) as K[]
  const values = await Promise.all(names.map((name) => texts[name](notification)))
  return Object.fromEntries(names.map((name, i) => [name, values[i]])) as Record<K, string>
}
