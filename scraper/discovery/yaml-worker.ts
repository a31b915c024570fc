// The thread that reads long target files for target-file.ts.
import { parentPort } from 'node:worker_threads'
import { serveRpc } from '../../lib/index.ts'
import { parseTargetYaml } from './target-yaml.ts'

serveRpc(parentPort!, { parse: parseTargetYaml })
