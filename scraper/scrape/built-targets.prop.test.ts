import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Turns } from '../../lib/index.ts'
import { type Labels, labelsFromRecord } from '../../model/index.ts'
import type { TargetGroup } from '../discovery/discovery.ts'
import type { TargetResult } from '../targets/target.ts'
import { BuiltTargets } from './built-targets.ts'

const addresses = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 8 })
const list = fc.array(fc.tuple(fc.constantFrom('a', 'b'), addresses, fc.boolean()), { maxLength: 4 })

test('whatever was listed before, each target becomes what it would have become at first', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(list, { maxLength: 6 }), async (rounds) => {
      const build = (discovered: Labels): TargetResult => ({ kind: 'dropped', discoveredLabels: [...discovered] })
      const built = new BuiltTargets(build)
      let before: readonly TargetGroup[] = []
      for (const round of rounds) {
        const groups = round.map(([source, numbers, stays], i): TargetGroup => {
          const held = before[i]
          if (stays && held) return held
          return { source, targets: numbers.map((number) => labelsFromRecord({ __address__: `${number}:1` })) }
        })
        const results = await built.of(groups, new Turns())
        expect(results).toEqual(groups.map(({ targets }) => targets.map(build)))
        before = groups
      }
    }),
  )
})
