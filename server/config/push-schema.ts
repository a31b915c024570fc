/** How pushes are taken: `belltower: push:` of the configuration, and `--push.config.file` of the stand-alone Pushgateway. */
import { z } from 'zod'
import type { PushgatewayOptions } from '../../pushgateway/index.ts'
import { boolean, count, duration, list, optional } from './scalars.ts'

export const pushSchema = z.strictObject({
  /** Of groups whose pushes do not say; absent: groups stay until they are deleted. */
  ttl: optional(duration),
  /** Whoever pushes needs one of them; none: everybody may push. */
  tokens: list(z.strictObject({ token: z.string().min(1), jobs: optional(z.array(z.string()).min(1)) })),
  /** Names of any characters. */
  utf8_names: optional(boolean),
  /** Pushes remembered of each group. */
  events_per_group: optional(count),
  limits: optional(
    z.strictObject({
      metrics_per_group: optional(count),
      groups: optional(count),
      metrics: optional(count),
    }),
  ),
})
export type PushSection = z.output<typeof pushSchema>

export type PushSettings = Pick<PushgatewayOptions, 'ttlMs' | 'tokens' | 'utf8Names' | 'eventsPerGroup' | 'limits'>

export function pushSettingsOf(section: PushSection | undefined): PushSettings {
  if (section === undefined) return {}
  const limits = {
    metricsPerGroup: section.limits?.metrics_per_group,
    groups: section.limits?.groups,
    metrics: section.limits?.metrics,
  }
  return {
    ...(section.ttl === undefined ? {} : { ttlMs: section.ttl }),
    ...(section.utf8_names === undefined ? {} : { utf8Names: section.utf8_names }),
    ...(section.events_per_group === undefined ? {} : { eventsPerGroup: section.events_per_group }),
    tokens: section.tokens.map(({ token, jobs }) => ({ token, ...(jobs === undefined ? {} : { jobs }) })),
    limits: Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined)),
  }
}
