import { expect, test } from 'vitest'
import { createMatcher } from '../../model/index.ts'
import { openStore, temporaryFolder } from '../testing/store.ts'
import { exportOpenMetrics } from './export-openmetrics.ts'

test('series come in the order of their labels, each once, however little text is held at a time', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder)
  const appender = store.appender()
  for (const n of [7, 3, 9, 1, 8, 2]) {
    for (let i = 0; i < n; i++)
      appender.append(undefined, ['__name__', 'm', 'n', String(n)], 1000 * (i + 1), n + i / 10)
    appender.append(undefined, ['__name__', 'other', 'n', String(n)], 1000, n)
    appender.appendStale(undefined, ['__name__', 'other', 'n', String(n)], 2000)
  }
  await appender.commit()
  const one = createMatcher('=~', 'n', '[1-7]')
  const other = createMatcher('=~', 'n', '[3-9]')
  const exported = async (charactersMax?: number) => {
    let text = ''
    const size = charactersMax === undefined ? {} : { charactersMax }
    const summary = await exportOpenMetrics(store, (piece) => void (text += piece), {
      matcherSets: [[one], [other]],
      ...size,
    })
    return { text, ...summary }
  }
  const whole = await exported()
  expect(whole).toMatchObject({ samples: 7 + 3 + 9 + 1 + 8 + 2 + 6, leftOut: 6 })
  expect([...whole.text.matchAll(/^other\{n="(\d)"\} \d 1$/gm)].map(([, n]) => n).join('')).toBe('123789')
  expect(whole.text).toContain('m{n="1"} 1 1\nm{n="2"} 2 1\nm{n="2"} 2.1 2\nm{n="3"} 3 1\n')
  for (const charactersMax of [0, 40, 100, 150]) expect(await exported(charactersMax)).toEqual(whole)
  await store.close()
  remove()
})
