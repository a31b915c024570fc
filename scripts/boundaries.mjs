// Checks the directions of imports between folders (ARCHITECTURE.md, "Folders and directions") and that a folder is entered
// only through its index.ts. Prints how many imports it looked at; finding none is a failure.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const ALLOWED = {
  lib: [],
  model: ['lib'],
  kernels: [],
  tsdb: ['lib', 'model', 'kernels'],
  promql: ['lib', 'model', 'kernels'],
  scraper: ['lib', 'model', 'kernels'],
  rules: ['lib', 'model', 'promql', 'template'],
  template: ['lib', 'model'],
  alertmanager: ['lib', 'model', 'template'],
  pushgateway: ['lib', 'model'],
  dashboards: ['lib', 'model'],
}
// Everything may be known here; and the measurements and cross-module tests look at all parts.
const KNOWS_ALL = new Set(['server', 'bench', 'tests', 'scripts'])
// Kernels and the front end are programs of their own inside their folder.
const SKIPPED = new Set(['node_modules', 'dist', 'data', 'build', 'assembly', '.git', 'coverage'])

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^'"\n;]*?(?:\{[^}]*\}[^'"\n;]*?)?from\s*['"](\.[^'"]+)['"]|import\(\s*['"](\.[^'"]+)['"]\s*\)|(?:^|\n)\s*import\s*['"](\.[^'"]+)['"]/g

const faults = []
let files = 0
let imports = 0
for (const file of walk(root)) {
  files++
  const from = folderOf(file)
  const text = readFileSync(file, 'utf8')
  for (const match of text.matchAll(IMPORT)) {
    imports++
    const target = resolve(dirname(file), match[1] ?? match[2] ?? match[3])
    const to = folderOf(target)
    if (to === from || from === undefined || to === undefined) continue
    const place = `${relative(root, file)}: imports ${relative(root, target)}`
    const isTest = /\.(prop\.)?test\.tsx?$/.test(file)
    if (!KNOWS_ALL.has(from) && !isTest && !(ALLOWED[from] ?? []).includes(to)) {
      faults.push(`${place}: ${from}/ may import only ${(ALLOWED[from] ?? []).join(', ') || 'nothing'}`)
    }
    if (
      to !== 'lib' &&
      to !== 'model' &&
      !isTest &&
      !KNOWS_ALL.has(from) &&
      relative(join(root, to), target) !== 'index.ts'
    ) {
      faults.push(`${place}: enter ${to}/ through its index.ts`)
    }
  }
}
for (const fault of faults) console.error(fault)
console.log(`boundaries: ${imports} imports in ${files} files, ${faults.length} faults`)
process.exit(faults.length > 0 || imports === 0 ? 1 : 0)

function folderOf(path) {
  const [first, second] = relative(root, path).split(sep)
  return second === undefined ? undefined : first
}

function* walk(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      if (!SKIPPED.has(entry.name) && !entry.name.startsWith('.')) yield* walk(join(dir, entry.name))
    } else if (/\.tsx?$/.test(entry.name)) yield join(dir, entry.name)
  }
}
