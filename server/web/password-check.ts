import { createHash } from 'node:crypto'
import type { Worker } from 'node:worker_threads'
import { RpcClient, startWorker } from '../../lib/index.ts'

const CACHE_MAX = 1000
/** Of no password. Names that nobody has are compared with it, so that they take as long as others. */
const NOBODY = '$2b$10$CwTycUXWue0Thq9StjUM0uJ8dRjyfuOPwPXK1h4p6wXqXh1t1h6mG'

/** Checks names and passwords against bcrypt hashes; answers are remembered, so that only a first request waits. */
export class PasswordCheck {
  readonly #answers = new Map<string, Promise<boolean>>()
  #worker: Worker | undefined
  #rpc: RpcClient | undefined

  check(users: ReadonlyMap<string, string>, name: string, password: string): Promise<boolean> {
    const hash = users.get(name)
    const key = createHash('sha256')
      .update(JSON.stringify([name, hash ?? '', password]))
      .digest('base64')
    const known = this.#answers.get(key)
    if (known !== undefined) return known
    const answer = this.#compare(password, hash ?? NOBODY).then((isEqual) => isEqual && hash !== undefined)
    // A failure of the worker is no answer.
    answer.catch(() => this.#answers.delete(key))
    if (this.#answers.size >= CACHE_MAX) this.#answers.delete(this.#answers.keys().next().value!)
    this.#answers.set(key, answer)
    return answer
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
  }

  #compare(password: string, hash: string): Promise<boolean> {
    if (this.#rpc === undefined) {
      this.#worker = startWorker(new URL('./bcrypt-worker.ts', import.meta.url))
      this.#worker.unref()
      this.#rpc = new RpcClient(this.#worker)
      this.#worker.once('exit', () => (this.#rpc = undefined))
    }
    return this.#rpc.call('compare', { password, hash }) as Promise<boolean>
  }
}
