// The thread that reads long target files for target-file.ts.
import { parentPort } from 'node:worker_threads'
import { parse } from 'yaml'
import { serveRpc } from '../../lib/index.ts'

serveRpc(parentPort!, { parse: (text: string): unknown => parse(text) })
