/** Keys that modules of several probers have. Schemas are made when a file is read: a start has no time for them. */
import { z } from 'zod'
import { compileSearch, parseDuration } from '../../../model/index.ts'

/** `superRefine` and `transform` with whatever `check` throws as the fault. */
const checked =
  (check: (text: string) => void) =>
  (text: string, context: { addIssue(issue: { code: 'custom'; message: string }): void }): void => {
    try {
      check(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
    }
  }

/** Milliseconds. */
export const duration = z
  .string()
  .superRefine(checked(parseDuration))
  .transform((text) => parseDuration(text))
export const regex = z.string().superRefine(checked(compileSearch))
export const list = <T extends z.ZodType>(item: T) => z.array(item).default([])
export const notYet = (what: string) =>
  z.undefined({ error: `${what} is not available yet in Belltower` }).optional() as z.ZodOptional<z.ZodUndefined>

const tlsVersion = () => z.enum(['TLS10', 'TLS11', 'TLS12', 'TLS13'])
export const tlsConfig = () =>
  z
    .strictObject({
      insecure_skip_verify: z.boolean().default(false),
      ca: z.string().optional(),
      ca_file: z.string().optional(),
      cert: z.string().optional(),
      cert_file: z.string().optional(),
      key: z.string().optional(),
      key_file: z.string().optional(),
      server_name: z.string().optional(),
      min_version: tlsVersion().optional(),
      max_version: tlsVersion().optional(),
    })
    .superRefine((tls, context) => {
      for (const name of ['ca', 'cert', 'key'] as const) {
        if (tls[name] === undefined || tls[`${name}_file`] === undefined) continue
        const message = `at most one of ${name} and ${name}_file must be configured`
        context.addIssue({ code: 'custom', path: [name], message })
      }
    })
export type ProbeTls = z.output<ReturnType<typeof tlsConfig>>

export const ipKeys = () => ({
  preferred_ip_protocol: z.enum(['ip4', 'ip6']).default('ip6'),
  ip_protocol_fallback: z.boolean().default(true),
  source_ip_address: z.string().optional(),
})
export type IpOptions = z.output<z.ZodObject<ReturnType<typeof ipKeys>>>

/** Steps of a conversation. */
export const queryResponse = () =>
  list(
    z.strictObject({
      expect: regex.optional(),
      expect_bytes: z.string().optional(),
      send: z.string().optional(),
      starttls: z.boolean().default(false),
      labels: list(z.strictObject({ name: z.string(), value: z.string() })),
    }),
  )
