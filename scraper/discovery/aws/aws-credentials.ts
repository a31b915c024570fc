import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { HttpClient } from '../../../lib/index.ts'
import { DiscoveryError } from '../poll.ts'

export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface AwsCredentialsConfig {
  readonly accessKey?: string | undefined
  readonly secretKey?: string | undefined
  readonly profile?: string | undefined
}

const METADATA_URL = 'http://169.254.169.254'
const METADATA_TIMEOUT_MS = 2000

/**
 * Keys from the first place that has some: the configuration, the environment, the shared credentials file, the metadata
 * service of the instance.
 *
 * @throws {DiscoveryError}
 */
export async function awsCredentials(
  config: AwsCredentialsConfig,
  client: HttpClient,
  env: NodeJS.ProcessEnv,
): Promise<AwsCredentials> {
  if (config.accessKey !== undefined && config.secretKey !== undefined) {
    return { accessKeyId: config.accessKey, secretAccessKey: config.secretKey }
  }
  if (config.profile === undefined && env.AWS_ACCESS_KEY_ID && env.AWS_SECRET_ACCESS_KEY) {
    return {
      accessKeyId: env.AWS_ACCESS_KEY_ID,
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
      ...(env.AWS_SESSION_TOKEN && { sessionToken: env.AWS_SESSION_TOKEN }),
    }
  }
  const fromFile = await fileCredentials(config.profile ?? env.AWS_PROFILE ?? 'default', env)
  if (fromFile) return fromFile
  if (config.profile !== undefined) throw new DiscoveryError(`no credentials for the AWS profile ${config.profile}`)
  return instanceCredentials(client)
}

/** The region this instance runs in. @throws {DiscoveryError} */
export async function instanceRegion(client: HttpClient): Promise<string> {
  return (await metadata(client, '/latest/meta-data/placement/region')).trim()
}

async function fileCredentials(profile: string, env: NodeJS.ProcessEnv): Promise<AwsCredentials | undefined> {
  let content: string
  try {
    content = await readFile(env.AWS_SHARED_CREDENTIALS_FILE ?? join(homedir(), '.aws', 'credentials'), 'utf8')
  } catch {
    // Having no such file is the ordinary case.
    return undefined
  }
  let section = ''
  const values: Record<string, string> = {}
  for (const line of content.split('\n')) {
    const header = /^\s*\[\s*(?:profile\s+)?([^\]]+?)\s*\]/.exec(line)
    const entry = /^\s*([a-z_]+)\s*=\s*(.*?)\s*$/.exec(line)
    if (header) section = header[1]!
    else if (entry && section === profile) values[entry[1]!] = entry[2]!
  }
  const { aws_access_key_id: accessKeyId, aws_secret_access_key: secretAccessKey, aws_session_token: token } = values
  if (!accessKeyId || !secretAccessKey) return undefined
  return { accessKeyId, secretAccessKey, ...(token && { sessionToken: token }) }
}

async function instanceCredentials(client: HttpClient): Promise<AwsCredentials> {
  const base = '/latest/meta-data/iam/security-credentials/'
  const role = (await metadata(client, base)).split('\n', 1)[0]!.trim()
  const answer = JSON.parse(await metadata(client, base + role)) as Record<string, string>
  return {
    accessKeyId: answer['AccessKeyId'] ?? '',
    secretAccessKey: answer['SecretAccessKey'] ?? '',
    ...(answer['Token'] && { sessionToken: answer['Token'] }),
  }
}

/** Version 2 of the service: first a token, then the question. */
async function metadata(client: HttpClient, path: string): Promise<string> {
  const timeoutMs = METADATA_TIMEOUT_MS
  try {
    const token = await client.request({
      url: `${METADATA_URL}/latest/api/token`,
      method: 'PUT',
      headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '300' },
      timeoutMs,
    })
    const headers = { 'x-aws-ec2-metadata-token': Buffer.from(token.body).toString() }
    const { status, body } = await client.request({ url: METADATA_URL + path, headers, timeoutMs })
    if (status === 200) return Buffer.from(body).toString()
    throw new DiscoveryError(`the metadata service answered ${status} for ${path}`)
  } catch (cause) {
    throw new DiscoveryError('no AWS credentials or region: none configured, and no metadata service answers', {
      cause,
    })
  }
}
