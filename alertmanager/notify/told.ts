import { contactKindOf, contactsOf } from '../oncall/contacts.ts'
import type { Person } from '../oncall/types.ts'
import type { Errand, StepErrand } from './duty.ts'
import type { NotificationLogEntry, NotificationReason } from './notification-log.ts'
import type { Integration, ReceiverData } from './notifier.ts'

/** Keys in what is kept for an integration: people who were told since the group began to fire, the step that told them. */
const PEOPLE = 'on_call'
const STEP = 'step'

/** What is kept after a notification. @param given what the integration wants kept @param before what was kept */
export function dataAfter(
  given: ReceiverData,
  before: ReceiverData,
  { errand, people, reason }: { errand: Errand; people: readonly Person[] | undefined; reason: NotificationReason },
): ReceiverData {
  const { [PEOPLE]: _people, [STEP]: _step, ...data } = given
  if (reason === 'all alerts resolved') return data
  const told = new Set([...namesTold(before), ...(people ?? []).map(({ name }) => name)])
  const step = errand.kind === 'step' ? errand.mark : before[STEP]
  return {
    ...data,
    ...(told.size > 0 && { [PEOPLE]: [...told].join('\n') }),
    ...(step !== undefined && { [STEP]: step }),
  }
}

/** In a gap between shifts the integration's own recipients are better than nobody. */
export function recipientsOf(
  target: Integration,
  people: readonly Person[] | undefined,
): { recipients?: readonly string[] } {
  const kind = contactKindOf(target.name)
  return kind === undefined || people === undefined || people.length === 0
    ? {}
    : { recipients: contactsOf(people, kind) }
}

/** People who were told since the group began to fire. */
export const namesTold = (data: ReceiverData): string[] => data[PEOPLE]?.split('\n').filter((name) => name !== '') ?? []

/** Whether this step of this escalation has told already, perhaps in another life of the process. */
export const isStepDone = ({ receiverData, atMs }: NotificationLogEntry, errand: StepErrand): boolean =>
  receiverData[STEP] === errand.mark && atMs >= errand.sinceMs
