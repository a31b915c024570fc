/** Starts the built program as a user would, on free ports, in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(new URL('../../dist/server/cli.js', import.meta.url))

export interface Belltower {
  readonly url: string
  readonly process: ChildProcess
  /** Every line the program has logged so far. */
  readonly lines: readonly string[]
  get(path: string): Promise<Response>
  /** The `data` of a successful API answer. @throws on any other answer */
  api<T = unknown>(path: string): Promise<T>
  /** The values of an instant query by one label, e.g. `up` by `job`. */
  query(expr: string): Promise<{ labels: Record<string, string>; value: string }[]>
  kill(): Promise<void>
  stop(): Promise<number | null>
}

/** A folder that goes with the test. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'belltower-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Resolves once the program says where it listens. @throws with its output when it exits before */
export function startBelltower(folder: string, args: readonly string[] = []): Promise<Belltower> {
  const child = spawn(process.execPath, [CLI, 'server', '--web.listen-address=127.0.0.1:0', ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  child.stderr.on('data', (chunk: Buffer) => lines.push(chunk.toString()))
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line)
      const url = /"url":"(http:[^"]+)"/.exec(line)?.[1]
      if (url !== undefined) resolve(handleOf(url, child, lines, exited))
    })
    void exited.then((code) => reject(new Error(`exited with ${code} before it listened:\n${lines.join('\n')}`)))
  })
}

/** Runs the program to its end and returns what it printed. */
export function runBelltower(
  args: readonly string[],
  folder: string,
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [CLI, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })))
}

function handleOf(url: string, child: ChildProcess, lines: string[], exited: Promise<number | null>): Belltower {
  const get = (path: string): Promise<Response> => fetch(`${url}${path}`)
  const api = async <T>(path: string): Promise<T> => {
    const body = (await (await get(path)).json()) as { status: string; data: T; error?: string }
    if (body.status !== 'success') throw new Error(`${path}: ${body.error}`)
    return body.data
  }
  return {
    url,
    process: child,
    lines,
    get,
    api,
    async query(expr) {
      const data = await api<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
        `/api/v1/query?query=${encodeURIComponent(expr)}`,
      )
      return data.result.map(({ metric, value }) => ({ labels: metric, value: value[1] }))
    },
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
    async stop() {
      child.kill('SIGTERM')
      return exited
    },
  }
}

/** Polls until `read` returns something, for at most `timeoutMs`. @throws with the last failure */
export async function waitFor<T>(what: string, read: () => Promise<T | undefined>, timeoutMs = 20_000): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs
  let last: unknown
  while (Date.now() < deadlineMs) {
    try {
      const value = await read()
      if (value !== undefined) return value
    } catch (error) {
      last = error
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause: last })
}
