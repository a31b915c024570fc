import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { startTestServer, type TestServer } from './testing/server.ts'

let server: TestServer
afterEach(() => server.stop())

/** Long enough that a thread of its own reads it. */
const LONG = `global: { external_labels: { region: old } }\n${'# nothing\n'.repeat(4000)}`

test('of two reloads at once the one that was asked for last counts, though its file is read sooner', async () => {
  server = await startTestServer()
  const path = join(server.folder, 'prometheus.yml')
  writeFileSync(path, LONG)
  const first = server.stack.reload()
  // As a signal comes while the file is being read.
  await new Promise((resolve) => setTimeout(resolve, 10))
  writeFileSync(path, 'global: { external_labels: { region: new } }\n')
  await Promise.all([first, server.stack.reload()])
  expect(server.stack.config().global.externalLabels).toEqual({ region: 'new' })
})
