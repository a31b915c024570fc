import { AwsV4Signer } from 'aws4fetch'
import type { Clock, HttpClient } from '../../../lib/index.ts'
import { type AwsAccount, AwsSession } from './aws-session.ts'

// What Prometheus signs for where nothing else is said: Amazon's managed Prometheus.
const SERVICE_DEFAULT = 'aps'
const TIMEOUT_MS = 30_000

/** A client whose requests carry AWS' signature (version 4). Closing it closes `client`. */
export function awsSignedClient(
  client: HttpClient,
  account: AwsAccount & { readonly service?: string | undefined },
  clock: Clock,
): HttpClient {
  const session = new AwsSession(account, { client, clock, timeoutMs: TIMEOUT_MS })
  return {
    async request(request) {
      const region = await session.region()
      const { method = 'GET', body } = request
      const signer = new AwsV4Signer({
        method,
        url: request.url,
        headers: { ...request.headers },
        ...(body !== undefined && { body: body as string }),
        region,
        service: account.service ?? SERVICE_DEFAULT,
        ...(await session.credentials(region)),
      })
      const { url, headers } = await signer.sign()
      return client.request({ ...request, url: url.toString(), headers: Object.fromEntries(headers.entries()) })
    },
    close: () => client.close(),
  }
}
