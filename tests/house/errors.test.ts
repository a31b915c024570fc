import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const SKIPPED = new Set(['node_modules', 'dist', 'data', 'build', 'assembly'])

function* sources(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      if (!SKIPPED.has(entry.name) && !entry.name.startsWith('.')) yield* sources(join(folder, entry.name))
    } else if (entry.name.endsWith('.ts') && !/(\.test|-child)\.ts$/.test(entry.name)) yield join(folder, entry.name)
  }
}

test('docs/errors.md lists every error code, and only those that exist', () => {
  const inCode = new Set<string>()
  for (const file of sources(root)) {
    for (const [, code] of readFileSync(file, 'utf8').matchAll(/readonly code(?:: string)? = '(ERR_[A-Z0-9_]+)'/g))
      inCode.add(code!)
  }
  const inDocs = new Set(
    [...readFileSync(join(root, 'docs/errors.md'), 'utf8').matchAll(/^\| `(ERR_[A-Z0-9_]+)`/gm)].map(
      ([, code]) => code!,
    ),
  )
  expect(inCode.size).toBeGreaterThan(10)
  expect([...inCode].sort()).toEqual([...inDocs].sort())
})
