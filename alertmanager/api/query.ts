import type { FastifyRequest } from 'fastify'
import { RE2JS } from 're2js'
import { errorMessage } from '../../lib/index.ts'
import type { Labels, Matcher } from '../../model/index.ts'
import { matchesAll, parseMatcher } from '../matcher/parse.ts'
import type { AlertView } from '../views.ts'
import { refused } from './answers.ts'

/** Values by name, in the order given. */
export type Query = Readonly<Record<string, readonly string[] | undefined>>

/** Read from the address itself: how a server parses queries is a matter of its own. */
export function queryOf(request: FastifyRequest): Query {
  const query: Record<string, string[]> = Object.create(null) as Record<string, string[]>
  for (const [name, value] of new URLSearchParams(request.url.split('?')[1] ?? '')) (query[name] ??= []).push(value)
  return query
}

const TRUE = new Set(['true', '1', 'yes', 'ok', 'y', 'on', 'selected', 'checked', 't', 'enabled'])

/** Absent is true; what does not look like yes is no. */
export function flagOf(query: Query, name: string): boolean {
  const value = query[name]?.at(-1)
  return value === undefined || TRUE.has(value.toLowerCase())
}

export const listOf = (query: Query, name: string): readonly string[] => query[name] ?? []

/** @throws {AlertmanagerApiError} */
export function matchersOf(query: Query, name: string): Matcher[] {
  try {
    return listOf(query, name).map(parseMatcher)
  } catch (error) {
    throw refused(errorMessage(error))
  }
}

/** Which receivers the query is about. @throws {AlertmanagerApiError} */
export function receiverFilter(
  query: Query,
  receivers: readonly { name: string; labels: Labels }[],
): (receiver: string) => boolean {
  const [pattern] = listOf(query, 'receiver')
  const matchers = matchersOf(query, 'receiver_matchers')
  if ((pattern === undefined || pattern === '') && matchers.length === 0) return () => true
  const regex = pattern ? compileReceiver(pattern) : undefined
  const wanted = receivers.filter(
    ({ name, labels }) => (regex === undefined || regex.matches(name)) && matchesAll(matchers, labels),
  )
  const names = new Set(wanted.map(({ name }) => name))
  return (receiver) => names.has(receiver)
}

function compileReceiver(pattern: string): RE2JS {
  try {
    return RE2JS.compile(`^(?:${pattern})$`)
  } catch (error) {
    throw refused(`failed to parse receiver param: ${errorMessage(error)}`)
  }
}

/** The states that the query asks for. */
export function stateFilter(query: Query): (view: AlertView) => boolean {
  const [active, silenced, inhibited, muted] = ['active', 'silenced', 'inhibited', 'muted'].map((name) =>
    flagOf(query, name),
  )
  return (view) => {
    if (!silenced && view.silencedBy.length > 0) return false
    if (!inhibited && view.inhibitedBy.length > 0) return false
    if (!muted && view.mutedBy.length > 0) return false
    return active || isSuppressed(view)
  }
}

export const isSuppressed = (view: AlertView): boolean =>
  view.silencedBy.length > 0 || view.inhibitedBy.length > 0 || view.mutedBy.length > 0
