import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { folder, start } from '../tests/support/push-client.ts'

test('the example of the journal is a log that deletes a group', async () => {
  const page = await readFile(new URL('../docs/formats/push-journal.md', import.meta.url), 'utf8')
  const example = Buffer.from(/```hex\n([^`]*)```/.exec(page)![1]!.replaceAll(/\s/g, ''), 'hex')
  const dataDir = await folder()
  const first = await start({ dataDir })
  await first.send('PUT', '/metrics/job/a', 'x 1\n')
  await first.send('PUT', '/metrics/job/b', 'x 1\n')
  await first.close()
  await mkdir(join(dataDir, 'pushgateway'), { recursive: true })
  await writeFile(join(dataDir, 'pushgateway', 'log.2'), example)
  expect(await (await start({ dataDir })).pushed()).toEqual(['x{instance="",job="b"} 1'])
})
