import { extname } from 'node:path'
import { RpcClient, startWorker } from '../../lib/index.ts'
import { parseTargetYaml } from './target-yaml.ts'

// Shorter texts are read in less time than a thread takes to start.
const LONG_YAML = 20_000

/**
 * What a target file says, by its ending JSON or YAML. A long one in YAML, which takes a second a megabyte, is read by a
 * thread of its own.
 *
 * @throws SyntaxError and its kin where it does not parse
 */
export async function readTargetFile(path: string, text: string): Promise<unknown> {
  if (extname(path) === '.json') return JSON.parse(text)
  if (text.length < LONG_YAML) return parseTargetYaml(text)
  const worker = startWorker(new URL('./yaml-worker.ts', import.meta.url))
  try {
    return await new RpcClient(worker).call('parse', text)
  } finally {
    await worker.terminate()
  }
}
