// Joins what `tsc` wrote into a few files, so that the program and its threads start in half the time: opening a thousand
// small modules costs more than running them. The modules stay where they are; only the entries are replaced, by one line
// that leads to the joined code.
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const dist = join(dirname(fileURLToPath(import.meta.url)), '../dist')
const bundle = join(dist, 'bundle')
// Native code stays a package of its own.
const NATIVE = /^(?:lz4-napi|msgpackr-extract)$/

/** Workers and data files are found beside the module that names them, which is not where its code ends up. */
const originalUrls = {
  name: 'original-urls',
  transform(code, id) {
    if (!id.startsWith(dist + sep) || !code.includes('import.meta.url')) return undefined
    const path = relative(bundle, id).split(sep).join('/')
    return {
      code: code.replaceAll('import.meta.url', `new URL(${JSON.stringify(path)}, import.meta.url).href`),
      map: null,
    }
  },
}

/** @param entries paths within dist, with slashes */
async function bundleEntries(entries) {
  rmSync(bundle, { recursive: true, force: true })
  const input = Object.fromEntries(
    entries.map((entry) => [entry.replace(/\.js$/, '').replaceAll('/', '.'), join(dist, entry)]),
  )
  const build = await rolldown({
    input,
    platform: 'node',
    external: NATIVE,
    plugins: [originalUrls],
    logLevel: 'silent',
  })
  // Readable and without source maps: Node reads maps when it loads a file, and these cost more memory than the code itself.
  await build.write({ dir: bundle, format: 'esm' })
  await build.close()
  for (const entry of entries) {
    const target = relative(
      dirname(join(dist, entry)),
      join(bundle, `${entry.replace(/\.js$/, '').replaceAll('/', '.')}.js`),
    )
    const hashbang = entry.endsWith('cli.js') ? '#!/usr/bin/env node\n' : ''
    writeFileSync(join(dist, entry), `${hashbang}import '${target.split(sep).join('/')}'\n`)
  }
}

const workers = readdirSync(dist, { recursive: true, encoding: 'utf8' })
  .map((path) => path.split(sep).join('/'))
  .filter((path) => path.endsWith('-worker.js') && !/(?:^|\/)(?:testing|ui|bundle)\//.test(path))
await bundleEntries(['server/cli.js', ...workers])
