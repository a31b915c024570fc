import { readFile } from 'node:fs/promises'
import { errorMessage } from '../../lib/index.ts'
import { DiscoveryError } from './poll.ts'

/** A secret that is given, or stands in a file. @throws {DiscoveryError} where the file cannot be read */
export async function secretText(secret: string | undefined, file: string | undefined): Promise<string> {
  if (file === undefined) return secret ?? ''
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    throw new DiscoveryError(`unable to read the secret in ${file}: ${errorMessage(error)}`, { cause: error })
  }
}
