// Goal: whichever single call to the file system fails, or whenever the disk is full for a while, nothing acknowledged is lost and nothing is there twice.
// Method: a child in which the n-th call fails once, for some n; with BELLTOWER_KILLS of 100 and more for every n until the
// work is done without reaching it.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/belltower.ts'
import { runChild } from './run-child.ts'

const IS_SOAK = Number(process.env.BELLTOWER_KILLS ?? 20) >= 100
const ROUNDS = IS_SOAK ? 10_000 : 5

interface Round {
  readonly n: number
  readonly failedCall: boolean
  readonly failed: readonly string[]
  readonly acknowledged: number
  readonly faults: readonly string[]
}

async function run(where: string, from: number, step: number, rounds = ROUNDS): Promise<Round[]> {
  const folder = temporaryFolder()
  const printed = await runChild<Round>({
    patch: './failing-calls.ts',
    file: './failing-calls-child.ts',
    args: [where, from, step, rounds],
    env: { FULL_DISK: join(folder.path, 'full') },
  })
  folder.remove()
  return printed
}

test.each([
  ['main', IS_SOAK ? 1 : 17],
  ['worker', IS_SOAK ? 1 : 8],
])('a call of the %s thread fails', { timeout: IS_SOAK ? 3_600_000 : 360_000 }, async (where, step) => {
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

test('the disk is full for a while', { timeout: 360_000 }, async () => {
  const rounds = await run('full', 3, IS_SOAK ? 1 : 10, IS_SOAK ? 33 : 3)
  for (const { n, failed, faults, failedCall, acknowledged } of rounds) {
    expect(faults, `from row ${n}: ${failed.join()}`).toEqual([])
    expect(failedCall).toBe(true)
    // Everything but what came meanwhile.
    expect(acknowledged).toBe(35)
  }
})
