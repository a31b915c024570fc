import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const STOP_TIMEOUT_MS = 15_000

/** A child process that has said the line it was waited for. */
export interface Child {
  /** What the pattern's first group found in that line. */
  readonly url: string
  /** Resolves with the exit code when it ends, by itself or by `stop`. */
  readonly ended: Promise<number | null>
  stop(): Promise<void>
}

/**
 * Starts a Node program and waits for the line that says where it listens.
 *
 * @throws with its last lines when it ends before
 */
export async function startChild(args: readonly string[], listening: RegExp, cwd: string): Promise<Child> {
  const child = spawn(process.execPath, ['--enable-source-maps', ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  const lines: string[] = []
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line)
      if (lines.length > 20) lines.shift()
      const found = listening.exec(line)?.[1]
      if (found !== undefined) resolve(found)
    })
    child.once('error', reject)
    void ended.then((code) => reject(new Error(`${args[0]} ended with code ${code}:\n${lines.join('\n')}`)))
  })
  return { url, ended, stop: () => stopChild(child, ended) }
}

async function stopChild(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await ended
  clearTimeout(timer)
}
