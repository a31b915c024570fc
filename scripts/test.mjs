// `npm test`: every check and every test. Says first which tests will be skipped on this machine, and how to have them.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const PEERS = [
  { program: 'chromium', tests: 'browser tests', debianPackage: 'chromium' },
  { program: 'prometheus', tests: 'comparisons with a real Prometheus', debianPackage: 'prometheus' },
  { program: 'promtool', tests: 'promtool as a client', debianPackage: 'prometheus' },
  { program: 'amtool', tests: 'amtool as a client', debianPackage: 'prometheus-alertmanager' },
  {
    program: 'prometheus-pushgateway',
    tests: 'comparisons with a real Pushgateway',
    debianPackage: 'prometheus-pushgateway',
  },
  {
    program: 'prometheus-node-exporter',
    tests: 'comparisons with a real node exporter',
    debianPackage: 'prometheus-node-exporter',
  },
]

const onPath = (program) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, program)))

const yardsticks = process.env.BELLTOWER_YARDSTICKS ?? join(root, '../shared/yardsticks')
const skipped = PEERS.filter(({ program }) => !onPath(program))
for (const { program, tests, debianPackage } of skipped) {
  console.log(`skipping ${tests}: ${program} is not on PATH (Debian: apt-get install ${debianPackage})`)
}
if (!existsSync(yardsticks)) {
  console.log('skipping conformance tests on outside data: set BELLTOWER_YARDSTICKS to a folder that holds it')
}

const args = process.argv.slice(2)
const steps = [
  // Some tests start the built program: it must be of these sources.
  [process.execPath, ['scripts/build.mjs']],
  [process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args]],
]
for (const [program, programArgs] of steps) {
  const { status } = spawnSync(program, programArgs, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
