// Builds the three parts: kernels (AssemblyScript → WebAssembly), server (TypeScript → dist), ui (Vite → dist/dashboards/ui).
// `node scripts/build.mjs [kernels|server|ui]…` builds the named parts, without names all of them.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const require = createRequire(import.meta.url)
const node = (script, args) => execFileSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' })
const bin = (pkg, path) => join(dirname(require.resolve(`${pkg}/package.json`)), path)

const parts = {
  kernels() {
    mkdirSync(join(root, 'kernels/build'), { recursive: true })
    node(bin('assemblyscript', 'bin/asc.js'), [
      'kernels/assembly/index.ts',
      '--outFile',
      'kernels/build/kernels.wasm',
      '--runtime',
      'stub',
      '--optimizeLevel',
      '3',
      '--shrinkLevel',
      '0',
      '--converge',
      '--noAssert',
      '--enable',
      'simd',
      '--enable',
      'threads',
      '--importMemory',
      '--sharedMemory',
      '--initialMemory',
      '16',
      '--maximumMemory',
      '65536',
      '--memoryBase',
      '1024',
      '--use',
      'abort=',
    ])
    mkdirSync(join(root, 'dist/kernels/build'), { recursive: true })
    cpSync(join(root, 'kernels/build/kernels.wasm'), join(root, 'dist/kernels/build/kernels.wasm'))
  },
  server() {
    node(bin('typescript', 'bin/tsc'), ['-p', 'tsconfig.build.json'])
    // Declarations of the library alone: nobody imports the rest.
    node(bin('typescript', 'bin/tsc'), ['-p', 'tsconfig.types.json'])
    node(join(root, 'scripts/bundle.mjs'), [])
  },
  ui() {
    if (!existsSync(join(root, 'dashboards/ui/vite.config.ts'))) return
    node(bin('vite', 'bin/vite.js'), ['build', '--config', 'dashboards/ui/vite.config.ts', '--logLevel', 'warn'])
  },
}

const wanted = process.argv.slice(2)
for (const name of wanted.length > 0 ? wanted : Object.keys(parts)) {
  const build = parts[name]
  if (build === undefined) throw new Error(`unknown part "${name}", known: ${Object.keys(parts).join(', ')}`)
  build()
}
