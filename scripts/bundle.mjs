// Joins what `tsc` wrote into a few files, so that the program and its threads start in a third of the time and their sources
// take a third of the memory: opening a thousand small modules costs more than running them. The modules stay where they
// are; only the entries are replaced, by lines that lead to the joined code.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const scripts = dirname(fileURLToPath(import.meta.url))
const dist = join(scripts, '../dist')
const bundle = join(dist, 'bundle')
const LOADER = 'load.cjs'
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

/**
 * Node makes its `fetch`, 3 MB of it and 20 ms, when somebody first names `Response`. The plugin that packs answers does, to see
 * whether an answer is one; no handler of ours gives one.
 */
const withoutFetch = {
  name: 'without-fetch',
  transform(code, id) {
    if (!id.endsWith(join('@fastify', 'compress', 'lib', 'utils.js'))) return undefined
    const test = 'obj instanceof Response'
    if (!code.includes(test)) throw new Error(`${id} has changed: it does not say "${test}" any more`)
    return { code: code.replace(test, 'false'), map: null }
  },
}

/**
 * The router compiles a function for each piece of each address, out of text, which no kept code helps: 40 ms of a start.
 * Addresses are few and short here; comparing them does as well.
 */
const withoutCompiling = {
  name: 'without-compiling',
  transform(code, id) {
    if (!id.endsWith(join('find-my-way', 'lib', 'node.js'))) return undefined
    const test = 'prefix.length >= LONG_PREFIX_MIN_LENGTH'
    if (!code.includes(test)) throw new Error(`${id} has changed: it does not say "${test}" any more`)
    return {
      code: code.replace(test, 'true').replace('path.indexOf(prefix, i) === i', 'path.startsWith(prefix, i)'),
      map: null,
    }
  },
}

/** V8 keeps a source as long as the code lives, with two bytes for every character as soon as one is not Latin. */
const asAscii = (code) =>
  code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

const nameOf = (entry) => entry.replace(/\.js$/, '').replaceAll('/', '.')

/** @param entries paths within dist, with slashes */
async function bundleEntries(entries) {
  rmSync(bundle, { recursive: true, force: true })
  const build = await rolldown({
    input: Object.fromEntries(entries.map((entry) => [nameOf(entry), join(dist, entry)])),
    platform: 'node',
    external: NATIVE,
    plugins: [originalUrls, withoutFetch, withoutCompiling],
    logLevel: 'silent',
  })
  const { output } = await build.write({
    dir: bundle,
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name]-[hash].cjs',
    // Without what only readers need; functions keep their names, for the traces of errors.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
  })
  await build.close()
  const contents = createHash('sha256')
  for (const { fileName, code } of output) {
    contents.update(code)
    const body = asAscii(code.replace(/^#!.*/, ''))
    writeFileSync(join(bundle, fileName), `(function (exports, require, module, __filename, __dirname) {${body}\n})\n`)
  }
  const id = contents.digest('hex').slice(0, 16)
  copyFileSync(join(scripts, 'load-bundle.cjs'), join(bundle, LOADER))
  for (const entry of entries) {
    const loader = relative(dirname(join(dist, entry)), join(bundle, LOADER))
      .split(sep)
      .join('/')
    const lines = [`import run from '${loader}'`, `run('${nameOf(entry)}.cjs', '${id}')`]
    // They count for what V8 has kept of compiled code, too.
    if (entry === CLI) lines.unshift('#!/usr/bin/env node')
    writeFileSync(join(dist, entry), `${lines.join('\n')}\n`)
  }
}

const CLI = 'server/cli.js'
const workers = readdirSync(dist, { recursive: true, encoding: 'utf8' })
  .map((path) => path.split(sep).join('/'))
  .filter((path) => path.endsWith('-worker.js') && !/(?:^|\/)(?:testing|ui|bundle)\//.test(path))
await bundleEntries([CLI, ...workers])
try {
  // Settings of a server of one's own are not meant for this one.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:BELLTOWER_|NODE_OPTIONS$)/.test(name)),
  )
  execFileSync(process.execPath, [join(scripts, 'code-cache.mjs')], { stdio: 'inherit', timeout: 60_000, env })
} catch (error) {
  console.warn(`compiled code was not kept, the program starts more slowly: ${error.message}`)
}
