// Goal: whichever single call to the file system fails, nothing acknowledged is lost and nothing is there twice.
// Method: a child in which the n-th call fails once, for some n; for every n with BELLTOWER_KILLS of 100 and more.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const IS_SOAK = Number(process.env.BELLTOWER_KILLS ?? 10) >= 100
const ROUNDS = IS_SOAK ? 200 : 5
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

interface Round {
  readonly n: number
  readonly failed: readonly string[]
  readonly acknowledged: number
  readonly faults: readonly string[]
}

async function run(where: string, step: number): Promise<{ rounds: Round[]; failedInWorker: number }> {
  const args = ['--import', 'tsx', '--import', path('./failing-calls.ts'), path('./failing-calls-child.ts')]
  const child = spawn(process.execPath, [...args, where, String(step), String(step), String(ROUNDS)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const code = await new Promise((resolve) => child.once('close', resolve))
  expect(code, errors).toBe(0)
  const rounds = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Round)
  return { rounds, failedInWorker: errors.split('failed in a worker').length - 1 }
}

test.each([
  ['main', IS_SOAK ? 1 : 17],
  ['worker', IS_SOAK ? 1 : 8],
])('a call of the %s thread fails', { timeout: IS_SOAK ? 3_600_000 : 180_000 }, async (where, step) => {
  const { rounds, failedInWorker } = await run(where, step)
  expect(rounds).toHaveLength(ROUNDS)
  for (const { n, failed, faults } of rounds) expect(faults, `call ${n}: ${failed.join()}`).toEqual([])
  expect(rounds.every(({ acknowledged }) => acknowledged > 20)).toBe(true)
  // Otherwise it was not about anything.
  const failures = where === 'main' ? rounds.filter(({ failed }) => failed.length > 0).length : failedInWorker
  expect(failures).toBeGreaterThanOrEqual(Math.min(ROUNDS, 40))
})
