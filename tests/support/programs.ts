/** Real programs of the field, for comparisons; tests that need one that is missing are skipped and say how to have it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'

export function hasProgram(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, name)))
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      )
    })
  })
}

/** Starts a program whose output nobody reads; `stop` ends it and waits. */
export function startProgram(
  name: string,
  args: readonly string[],
  cwd: string,
): { process: ChildProcess; stop: () => Promise<void> } {
  const child = spawn(name, args, { cwd, stdio: 'ignore' })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    process: child,
    stop: async () => {
      child.kill('SIGKILL')
      await exited
    },
  }
}
