import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { errorMessage } from '../../../lib/index.ts'
import { finalFailure } from '../service.ts'

export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface AwsSettings {
  readonly region?: string | undefined
  readonly access_key?: string | undefined
  readonly secret_key?: string | undefined
  readonly profile?: string | undefined
}

/**
 * The keys that the settings name, else those of the environment, else a profile of the shared credentials file. Metadata
 * services are not asked: nothing here opens a connection that the configuration does not name.
 *
 * @throws {DeliveryError}
 */
export async function awsCredentials(settings: AwsSettings, env: NodeJS.ProcessEnv): Promise<AwsCredentials> {
  if (settings.access_key) return { accessKeyId: settings.access_key, secretAccessKey: settings.secret_key ?? '' }
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = env
  if (settings.profile === undefined && AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY) {
    return {
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
    }
  }
  const profile = settings.profile ?? env['AWS_PROFILE'] ?? 'default'
  const keys = await profileKeys(profile, env['AWS_SHARED_CREDENTIALS_FILE'] ?? join(homedir(), '.aws/credentials'))
  const { aws_access_key_id: id, aws_secret_access_key: secret, aws_session_token: token } = keys
  if (!id || !secret) throw finalFailure(`no AWS credentials: profile "${profile}" has no keys`, 'authError')
  return { accessKeyId: id, secretAccessKey: secret, ...(token && { sessionToken: token }) }
}

/** @throws {DeliveryError} */
export function awsRegion(settings: AwsSettings, env: NodeJS.ProcessEnv): string {
  const region = settings.region || env['AWS_REGION'] || env['AWS_DEFAULT_REGION']
  if (!region) throw finalFailure('no AWS region in sigv4.region or AWS_REGION')
  return region
}

async function profileKeys(profile: string, path: string): Promise<Record<string, string>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw finalFailure(`no AWS credentials in the settings or the environment, and ${errorMessage(cause)}`, 'authError')
  })
  const keys: Record<string, string> = {}
  let section = ''
  for (const line of text.split(/\r?\n/)) {
    const header = /^\s*\[\s*(?:profile\s+)?([^\]]+?)\s*\]/.exec(line)
    if (header) section = header[1]!
    const [, name, value] = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (section === profile && name !== undefined && value !== undefined) keys[name] = value
  }
  return keys
}
