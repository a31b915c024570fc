import type { ContactKind, Person } from './types.ts'

const KINDS: Readonly<Record<string, ContactKind>> = {
  email: 'email',
  sms: 'phone',
  voice: 'phone',
  telegram: 'telegram',
  pushover: 'pushover',
  ntfy: 'ntfy',
}

/** What an integration needs to know to reach a person; `undefined` = it speaks to a place, not to people. */
export const contactKindOf = (integration: string): ContactKind | undefined => KINDS[integration]

/** Those who can be reached so. */
export const contactsOf = (people: readonly Person[], kind: ContactKind): string[] =>
  people.flatMap(({ contacts }) => contacts[kind] ?? [])
