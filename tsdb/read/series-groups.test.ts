import fc from 'fast-check'
import { expect, test } from 'vitest'
import { labelsFromRecord, labelsKey, projectLabels, type SeriesGroup } from '../../model/index.ts'
import { LabelIndex } from './label-index.ts'
import { GroupingCache } from './series-groups.ts'

const name = fc.constantFrom('a', 'b', 'c', 'd')
// An empty value in a series' own labels takes the target's label away.
const labels = (values: readonly string[]) => fc.dictionary(name, fc.constantFrom(...values), { maxKeys: 4 })

test('series are in one group exactly if what is left of their labels is equal', () => {
  const series = fc.array(fc.tuple(labels(['x', 'y']), labels(['x', 'y', ''])), { maxLength: 20 })
  fc.assert(
    fc.property(series, fc.uniqueArray(name), fc.boolean(), (input, names, keep) => {
      const index = new LabelIndex()
      const cache = new GroupingCache(index)
      const grouping = { key: `${keep}${names.join()}`, names: new Set(names), keep }
      const number = (record: Record<string, string>): number =>
        index.labelSet(
          Object.entries(record)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .flatMap(([label, value]) => [index.symbol(label), index.symbol(value)]),
        )
      // Asked twice: what is remembered gives the same.
      for (let round = 0; round < 2; round++) {
        const groups = cache.groups(grouping)
        const byKey = new Map<string, SeriesGroup>()
        for (const [target, overlay] of input) {
          const group = groups.groupOf(number(target), number(overlay))
          const expected = projectLabels(labelsFromRecord({ ...target, ...overlay }), grouping.names, keep)
          const whole = expected.flatMap((text, i) =>
            i % 2 === 0 && expected[i + 1] !== '' ? [text, expected[i + 1]!] : [],
          )
          expect(group.labels).toEqual(whole)
          const known = byKey.get(labelsKey(whole))
          if (known === undefined) byKey.set(labelsKey(whole), group)
          else expect(group).toBe(known)
        }
      }
    }),
  )
})
