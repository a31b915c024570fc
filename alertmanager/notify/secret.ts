import { readFile } from 'node:fs/promises'
import { errorMessage } from '../../lib/index.ts'
import type { Secret } from '../config/types.ts'
import { DeliveryError } from './notifier.ts'

/** The value now, without spaces around it; a file is read each time, so that a rotated secret needs no reload. */
export async function readSecret(secret: Secret): Promise<string> {
  return (await readSecretVerbatim(secret)).trim()
}

/** For what may begin or end with a space or a newline. */
export async function readSecretVerbatim(secret: Secret): Promise<string> {
  if (secret.kind === 'inline') return secret.value
  try {
    return await readFile(secret.path, 'utf8')
  } catch (cause) {
    throw new DeliveryError(
      `cannot read ${secret.path}: ${errorMessage(cause)}`,
      { reason: 'other', retryable: false },
      { cause },
    )
  }
}
