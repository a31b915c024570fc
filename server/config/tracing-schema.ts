/** `tracing`: where traces of this server would go. */
import { z } from 'zod'
import { tlsConfig } from './http-schema.ts'
import { headersOf } from './remote-schema.ts'
import { boolean, duration, optional } from './scalars.ts'

const ENDPOINT_MISSING = 'tracing endpoint must be set'

export const tracingSchema = z.strictObject({
  client_type: optional(
    z.enum(['http', 'grpc'], {
      error: (issue) => `expected tracing client type to be http or grpc, but got ${String(issue.input)}`,
    }),
  ),
  endpoint: z.string({ error: ENDPOINT_MISSING }).min(1, { error: ENDPOINT_MISSING }),
  sampling_fraction: optional(z.number().min(0).max(1)),
  insecure: optional(boolean),
  headers: headersOf('custom authorization header configuration is not yet supported'),
  compression: optional(
    z.enum(['gzip'], {
      error: (issue) => `invalid compression type ${String(issue.input)} provided, valid options: gzip`,
    }),
  ),
  timeout: optional(duration),
  tls_config: optional(tlsConfig),
})
