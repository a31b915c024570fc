import { readFileSync } from 'node:fs'
import type { ClusterOptions } from '../alertmanager/index.ts'
import { errorMessage } from '../lib/index.ts'
import { parseDuration } from '../model/index.ts'
import { FlagError } from './flags.ts'

const KEY_CHARS_MIN = 16

/**
 * What the flags say of Alertmanagers that notify together; `undefined` = this one is alone.
 *
 * @throws {FlagError} for peers without a key, and for URLs that are none
 */
export function clusterOf(values: ReadonlyMap<string, string>): ClusterOptions | undefined {
  const peerUrls = (values.get('cluster.peer') ?? '').split(',').filter((url) => url !== '')
  if (peerUrls.length === 0) return undefined
  for (const url of peerUrls)
    if (!/^https?:\/\//.test(url) || !URL.canParse(url)) throw new FlagError(`--cluster.peer: not an HTTP URL: ${url}`)
  const key = keyOf(values.get('cluster.key-file') ?? '')
  if (key.length < KEY_CHARS_MIN)
    throw new FlagError(`--cluster.peer needs --cluster.key-file with a key of ${KEY_CHARS_MIN} or more characters`)
  const peerTimeoutMs = parseDuration(values.get('cluster.peer-timeout')!)
  return { name: values.get('cluster.peer-name')!, peerUrls, key, peerTimeoutMs }
}

function keyOf(path: string): string {
  if (path === '') return ''
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (cause) {
    throw new FlagError(`--cluster.key-file: ${errorMessage(cause)}`, { cause })
  }
}
