// `npm run check`: format, lint, types, boundaries, dead code. Each step must show that it looked at something.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const bin = (name) => join(root, 'node_modules/.bin', name)

/** `looked` must match the output, with a count above zero: a tool that checks nothing passes. */
const steps = [
  { name: 'format', command: [bin('biome'), 'format', '.'], looked: /Checked (\d+) files/ },
  { name: 'lint', command: [bin('oxlint'), '--type-aware', '--deny-warnings', '.'], looked: /on (\d+) files/ },
  {
    name: 'types',
    command: [bin('tsc'), '-p', 'tsconfig.json', '--listFilesOnly'],
    looked: /((?:.*\.ts\n?)+)/,
    after: [bin('tsc'), '-p', 'tsconfig.json'],
  },
  ...(existsSync(join(root, 'dashboards/ui/tsconfig.json'))
    ? [{ name: 'types of the user interface', command: [bin('tsc'), '--noEmit', '-p', 'dashboards/ui/tsconfig.json'] }]
    : []),
  { name: 'boundaries', command: [process.execPath, 'scripts/boundaries.mjs'], looked: /boundaries: (\d+) imports/ },
  { name: 'engines', command: [process.execPath, 'scripts/engines.mjs'], looked: /engines: (\d+) packages/ },
  { name: 'dead code', command: [bin('knip'), '--no-progress', '--no-config-hints'] },
]

let failed = 0
for (const { name, command, looked, after } of steps) {
  const result = run(command)
  const output = result.stdout + result.stderr
  let ok = result.status === 0
  if (ok && looked) {
    const count = looked.exec(output)?.[1]
    if (count === undefined || count === '0') {
      ok = false
      console.error(`${name}: the tool does not show that it looked at anything`)
    }
  }
  let shown = output
  if (ok && after) {
    const second = run(after)
    ok = second.status === 0
    shown = second.stdout + second.stderr
  }
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}`)
  if (!ok) {
    failed++
    console.error(shown)
  }
}
process.exit(failed > 0 ? 1 : 0)

function run([program, ...args]) {
  return spawnSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 })
}
