import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { AlertmanagerOptions } from './index.ts'
import { byName, conf, push, silence, type Step, T } from './test-scenarios.ts'
import { Scenario } from './test-support.ts'

describe('restarts in between', () => {
  async function withRestart(options: {
    readonly before: readonly Step[]
    readonly stopS: number
    readonly startS: number
    readonly after: readonly Step[]
    readonly endS: number
  }): Promise<readonly [before: string[], after: string[]]> {
    const folder = mkdtempSync(join(tmpdir(), 'belltower-'))
    const given: Partial<AlertmanagerOptions> = { dataDir: folder }
    try {
      const first = await Scenario.start(conf(byName), given)
      await first.run(
        options.before.map(([atS, act]) => [atS, () => act(first)]),
        options.stopS,
      )
      const second = await Scenario.start(conf(byName), given, options.startS)
      await second.run(
        options.after.map(([atS, act]) => [atS, () => act(second)]),
        options.endS,
      )
      return [first.received('/3'), second.received('/3')]
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  test('before the first notification: it goes out', async () => {
    const told = await withRestart({ before: [[0, push(T())]], stopS: 0.5, startS: 0.7, after: [], endS: 4 })
    expect(told).toEqual([[], ['1: T 0']])
  })

  test('after it: nothing is told again, the timer goes on, the end is told', async () => {
    const after: Step[] = [[4, push(T({}, { endS: 4 }))]]
    const told = await withRestart({ before: [[0, push(T())]], stopS: 2, startS: 2.5, after, endS: 8 })
    expect(told).toEqual([['1: T 0'], ['5: T 0-4']])
  })

  test('through a silence: it holds, and its end is noticed', async () => {
    const before: Step[] = [
      [0, silence(0, 6, 'alertname', '=', 'T')],
      [0, push(T())],
    ]
    const told = await withRestart({ before, stopS: 2, startS: 4, after: [], endS: 9 })
    // The tick that was missed comes at once, the next one when the silence is over.
    expect(told).toEqual([[], ['6: T 0']])
  })

  test('over the time at which it was due: it goes out at once', async () => {
    const told = await withRestart({ before: [[0, push(T())]], stopS: 0.5, startS: 5, after: [], endS: 6 })
    expect(told).toEqual([[], ['5: T 0']])
  })
})
