import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freePort, hasProgram } from '../../tests/support/programs.ts'
import { folder, start } from '../../tests/support/push-client.ts'

const peer = ['prometheus-pushgateway', 'pushgateway'].find(hasProgram)
if (peer === undefined) console.log('skipped: no pushgateway on PATH (Debian: apt install prometheus-pushgateway)')

const BODY = `# TYPE h histogram
# HELP h A histogram.
h_bucket{le="1"} 3
h_bucket{le="+Inf"} 5
h_sum 7.25
h_count 5
# TYPE s summary
s{quantile="0.5"} 2
s_sum 3
s_count 4
# TYPE c counter
c{path="/x\\"y"} 4e+06
u NaN
`

test.skipIf(peer === undefined)("the original's persistence file is taken over once, whole", async () => {
  const dataDir = await folder()
  const file = join(dataDir, 'original.data')
  const theirs = await pageOfOriginal(peer!, file)
  const ours = await start({ dataDir, importFile: file })
  expect(samples(await ours.page())).toEqual(samples(theirs))
  await ours.send('DELETE', '/metrics/job/b/zone/z')
  const left = await ours.pushed()
  await ours.close()
  const again = await start({ dataDir, importFile: file })
  expect(await again.pushed()).toEqual(left)
})

test('a file that is none of the kind is refused, wherever it breaks', async () => {
  const dataDir = await folder()
  const file = join(dataDir, 'bad.data')
  for (const bytes of [Buffer.alloc(0), Buffer.from('no gob'), Buffer.from([3, 4, 0, 1]), Buffer.alloc(40, 0xff)]) {
    await writeFile(file, bytes)
    await expect(start({ importFile: file })).rejects.toMatchObject({ code: 'ERR_PUSH_IMPORT' })
  }
})

/** With times to the millisecond, as we keep them. */
const samples = (page: string): string[] =>
  page
    .split('\n')
    .filter((line) => line.includes('job="'))
    .map((line) => (line.startsWith('push_') ? line.replace(/\S+$/, (time) => Number(time).toFixed(3)) : line))
    .sort()

/** Fills a real one, lets it write its file at its end, and gives the page that it showed. */
async function pageOfOriginal(program: string, file: string): Promise<string> {
  const address = `127.0.0.1:${await freePort()}`
  const child = spawn(program, [`--web.listen-address=${address}`, `--persistence.file=${file}`], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  try {
    await untilReady(`http://${address}/-/ready`)
    for (const path of ['job/a', 'job/b/zone/z', 'job/a/path@base64/L3Zhcg'])
      await fetch(`http://${address}/metrics/${path}`, { method: 'PUT', body: BODY })
    await fetch(`http://${address}/metrics/job/failed`, { method: 'PUT', body: 'x 1 1\n' })
    return await (await fetch(`http://${address}/metrics`)).text()
  } finally {
    child.kill()
    await ended
    expect(existsSync(file)).toBe(true)
  }
}

async function untilReady(url: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const isReady = await fetch(url).then(
      (answer) => answer.ok,
      () => false,
    )
    if (isReady) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`no answer from ${url}`)
}
