import { z } from 'zod'
import { CONNECTION_HEADERS } from '../../lib/connection-headers.ts'
import { httpConfigSchema } from '../config/http-config.ts'
import { matcherList } from '../config/route-schema.ts'
import { count, duration, text, textMap, tryParse, url } from '../config/scalars.ts'
import { timeInterval } from '../config/time-interval-schema.ts'
import { formatterOf } from '../route/wall-clock.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

const name = text.min(1, 'a name is needed')
const names = z.array(name)
const positive = duration.refine((ms) => ms > 0, { message: 'cannot be zero' })

const timeZone = text.transform((zone, context) =>
  tryParse(() => {
    formatterOf(zone)
    return zone
  }, context),
)

const contact = text.min(1, 'cannot be empty').optional()
const phone = text.regex(/^\+?[0-9]{3,15}$/, 'expected a number such as +15550100').optional()

const personSchema = z.strictObject({
  name,
  email: text.regex(/^[^\s@,]+@[^\s@,]+$/, 'expected one e-mail address').optional(),
  phone,
  telegram: contact,
  pushover: contact,
  ntfy: contact,
})

/** `2026-01-05` or `2026-01-05T09:00`; the reading of a wall clock. */
const wallTime = text.transform((value, context) => {
  const isTime = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d)?$/.test(value)
  const wallMs = isTime ? Date.parse(`${value.replace(' ', 'T')}${value.length > 10 ? '' : 'T00:00'}:00Z`) : Number.NaN
  // `Date.parse` takes 31 February for 3 March.
  if (!Number.isNaN(wallMs) && new Date(wallMs).toISOString().startsWith(value.slice(0, 10))) return wallMs
  context.addIssue({ code: 'custom', message: `expected a date and time such as 2026-01-05T09:00, not ${value}` })
  return z.NEVER
})

const clockTime = text.transform((value, context) => {
  const [, hours, minutes] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(value) ?? []
  if (hours !== undefined) return (Number(hours) * 60 + Number(minutes)) * 60_000
  context.addIssue({ code: 'custom', message: `expected a time such as 09:00, not ${value}` })
  return z.NEVER
})

const rotation = text.transform((value, context) => {
  if (value === 'daily') return DAY_MS
  if (value === 'weekly') return 7 * DAY_MS
  const lengthMs = duration.safeParse(value)
  if (lengthMs.success && lengthMs.data >= HOUR_MS) return lengthMs.data
  context.addIssue({ code: 'custom', message: `expected daily, weekly or a duration of an hour or more, not ${value}` })
  return z.NEVER
})

const layerSchema = z.strictObject({
  name: name.optional(),
  // An item that is a list is a turn of several together.
  people: z.array(z.union([name, names.min(1)])).min(1, 'expected at least one person'),
  start: wallTime,
  hand_over: clockTime.optional(),
  rotation,
  end: wallTime.optional(),
  active: z.array(timeInterval).optional(),
})

const overrideSchema = z.strictObject({ people: names, start: wallTime, end: wallTime, comment: text.optional() })

const scheduleSchema = z.strictObject({
  name,
  time_zone: timeZone,
  layers: z.array(layerSchema).min(1, 'expected at least one layer'),
  overrides: z.array(overrideSchema).optional(),
})

const stepSchema = z.strictObject({
  after: duration,
  receiver: name,
  schedule: name.optional(),
  people: names.optional(),
})

const receiverPolicySchema = z.strictObject({
  receiver: name,
  schedule: name.optional(),
  escalation: z
    .strictObject({
      steps: z.array(stepSchema).min(1, 'expected at least one step'),
      repeat: count.max(100).optional(),
      repeat_after: duration.optional(),
      on_failure: z.enum(['next', 'wait']).optional(),
    })
    .optional(),
})

/** A body may say what it is, and who asks is the sender's own matter. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set(
  [...CONNECTION_HEADERS, 'transfer-encoding', 'upgrade', 'expect', 'te', 'trailer'].filter(
    (header) => header !== 'content-type' && header !== 'user-agent',
  ),
)

const headers = textMap.superRefine((given, context) => {
  for (const [header, value] of Object.entries(given)) {
    const why = RESERVED_HEADERS.has(header.toLowerCase())
      ? 'it is set by the request itself'
      : !/^[\w!#$%&'*+.^`|~-]+$/.test(header)
        ? 'that is no name of a header'
        : // What HTTP can carry: no line breaks, nothing beyond Latin 1.
          /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
          ? undefined
          : 'its value cannot be sent'
    if (why !== undefined) context.addIssue({ code: 'custom', path: [header], message: why })
  }
})

const heartbeatSchema = z.strictObject({
  name,
  url: url.optional(),
  url_file: text.optional(),
  method: z.enum(['GET', 'POST', 'PUT']).optional(),
  body: text.optional(),
  headers: headers.optional(),
  interval: positive.optional(),
  matchers: matcherList.optional(),
  stale_after: positive.optional(),
  undelivered_after: duration.optional(),
  http_config: httpConfigSchema.optional(),
})

const expectedHeartbeatSchema = z.strictObject({
  name: name.regex(/^[\w.-]+$/, 'expected letters, digits and _ . - only: it is part of a URL'),
  matchers: matcherList.optional(),
  interval: positive,
  grace: duration.optional(),
  token: text.min(1, 'cannot be empty').optional(),
  token_file: text.min(1, 'cannot be empty').optional(),
  labels: textMap.optional(),
  annotations: textMap.optional(),
})

const flapRuleSchema = z.strictObject({
  matchers: matcherList.optional(),
  changes: count.min(2),
  window: positive,
  stable_for: positive.optional(),
})

export const onCallSchema = z.strictObject({
  people: z.array(personSchema).optional(),
  schedules: z.array(scheduleSchema).optional(),
  receivers: z.array(receiverPolicySchema).optional(),
  heartbeats: z.array(heartbeatSchema).optional(),
  expected_heartbeats: z.array(expectedHeartbeatSchema).optional(),
  flap_damping: z.array(flapRuleSchema).optional(),
  muted_resolved: z.enum(['drop', 'after', 'through']).optional(),
})
export type OnCallYaml = z.infer<typeof onCallSchema>
