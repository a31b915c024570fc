// `npm run conformance [-- SUITE…]`: runs suites over outside data and prints their counts. Without names, all that are there.
// `--runs=N` and `--seed=N` are for the suites that make up their questions.
// Fails when an expectation fails, a suite is unknown, or there is no data: a run that checks nothing is no success.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const folder = join(root, 'tests/conformance')
const yardsticks = process.env.BELLTOWER_YARDSTICKS ?? join(root, '../shared/yardsticks')
const suites = readdirSync(folder)
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => name.slice(0, -'.test.ts'.length))
  .sort()

const env = { ...process.env }
const wanted = process.argv.slice(2).filter((argument) => {
  const option = /^--(runs|seed)=(\d+)$/.exec(argument)
  if (option) env[`BELLTOWER_${option[1].toUpperCase()}`] = option[2]
  return !option
})
const unknown = wanted.filter((name) => !suites.includes(name))
if (unknown.length > 0) {
  console.error(`no such suite: ${unknown.join(', ')} (there are: ${suites.join(', ')})`)
  process.exit(2)
}
if (!existsSync(yardsticks)) {
  console.error(`nothing to check against: there is no ${yardsticks} (set BELLTOWER_YARDSTICKS)`)
  process.exit(2)
}

const files = (wanted.length > 0 ? wanted : suites).map((name) => join('tests/conformance', `${name}.test.ts`))
const vitest = join(root, 'node_modules/vitest/vitest.mjs')
const { status } = spawnSync(process.execPath, [vitest, 'run', '--project', 'unit', ...files], {
  cwd: root,
  stdio: 'inherit',
  env,
})
process.exit(status ?? 1)
