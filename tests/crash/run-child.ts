import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'

/**
 * Runs a file of this folder, with another that patches the file system loaded before it, to its end.
 *
 * @returns what it printed, one JSON value a line
 */
export async function runChild<T>(options: {
  readonly patch: string
  readonly file: string
  readonly args: readonly (string | number)[]
  readonly env: Readonly<Record<string, string>>
}): Promise<T[]> {
  const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
  const args = ['--import', 'tsx', '--import', path(options.patch), path(options.file), ...options.args.map(String)]
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const code = await new Promise((resolve) => child.once('close', resolve))
  expect(code, errors).toBe(0)
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T)
}
