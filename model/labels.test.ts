import fc from 'fast-check'
import { expect, test } from 'vitest'
import { labelsKey, textsKey } from './labels.ts'

test('label sets that differ have keys that differ, whatever stands in their values', () => {
  expect(labelsKey(['a', '1\u00ffb\u00ff2'])).not.toBe(labelsKey(['a', '1', 'b', '2']))
  expect(labelsKey(['a', 'L’Haÿ'])).not.toBe(labelsKey(['a', 'L’Hay']))
  expect(labelsKey(['a', 'L’Haÿ'])).toBe(labelsKey(['a', 'L’Haÿ']))
})

test('two lists of texts have the same key exactly when they are the same', () => {
  const text = fc.string({ unit: fc.constantFrom('\u00ff', '"', ',', '[', ']', 'a'), maxLength: 4 })
  const list = fc.array(text, { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(list, list, (a, b) => (textsKey(a) === textsKey(b)) === (JSON.stringify(a) === JSON.stringify(b))),
    { numRuns: 5000 },
  )
  // What is not joined could look like something joined.
  fc.assert(
    fc.property(list, (a) => textsKey(a) !== textsKey([JSON.stringify(a)])),
    { numRuns: 1000 },
  )
})
