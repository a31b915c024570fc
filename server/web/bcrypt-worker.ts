/** Compares passwords with their hashes. It takes tens of milliseconds on purpose, so it happens in a thread of its own. */
import { parentPort } from 'node:worker_threads'
import { compareSync } from 'bcryptjs'
import { serveRpc } from '../../lib/index.ts'

serveRpc(parentPort!, {
  compare: ({ password, hash }: { password: string; hash: string }): boolean => compareSync(password, hash),
})
