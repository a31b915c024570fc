// Goal: whichever single call to the file system fails, or whenever the disk is full for a while, nothing acknowledged is lost and nothing is there twice.
// Method: a child in which the n-th call fails once, for some n; with BELLTOWER_KILLS of 100 and more for every n until the
// work is done without reaching it.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/belltower.ts'

const IS_SOAK = Number(process.env.BELLTOWER_KILLS ?? 20) >= 100
const ROUNDS = IS_SOAK ? 10_000 : 5
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

interface Round {
  readonly n: number
  readonly failedCall: boolean
  readonly failed: readonly string[]
  readonly acknowledged: number
  readonly faults: readonly string[]
}

async function run(where: string, from: number, step: number, rounds = ROUNDS): Promise<Round[]> {
  const args = ['--import', 'tsx', '--import', path('./failing-calls.ts'), path('./failing-calls-child.ts')]
  const folder = temporaryFolder()
  const child = spawn(process.execPath, [...args, where, String(from), String(step), String(rounds)], {
    env: { ...process.env, FULL_DISK: join(folder.path, 'full') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const code = await new Promise((resolve) => child.once('close', resolve))
  folder.remove()
  expect(code, errors).toBe(0)
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Round)
}

test.each([
  ['main', IS_SOAK ? 1 : 17],
  ['worker', IS_SOAK ? 1 : 8],
])('a call of the %s thread fails', { timeout: IS_SOAK ? 3_600_000 : 180_000 }, async (where, step) => {
  const rounds = await run(where, step, step)
  for (const { n, failed, faults } of rounds) expect(faults, `call ${n}: ${failed.join()}`).toEqual([])
  expect(rounds.every(({ acknowledged }) => acknowledged > 20)).toBe(true)
  // Otherwise it was not about anything.
  const failures = rounds.filter(({ failedCall }) => failedCall).length
  if (IS_SOAK) {
    expect(failures).toBeGreaterThan(60)
    expect(rounds.at(-1)!.failedCall).toBe(false)
  } else expect(failures).toBe(ROUNDS)
})

test('the disk is full for a while', { timeout: 180_000 }, async () => {
  const rounds = await run('full', 3, IS_SOAK ? 1 : 10, IS_SOAK ? 33 : 3)
  for (const { n, failed, faults, failedCall, acknowledged } of rounds) {
    expect(faults, `from row ${n}: ${failed.join()}`).toEqual([])
    expect(failedCall).toBe(true)
    // Everything but what came meanwhile.
    expect(acknowledged).toBe(35)
  }
})
