// Copied to dist/bundle/load.cjs: runs the joined code of a thread. Beside each piece lies what V8 made of it when it was built
// (scripts/code-cache.mjs), so that starting compiles next to nothing. V8 itself refuses what another version of it, or one
// with other flags, has made; then the piece is compiled as usual.
'use strict'
const { mkdirSync, readFileSync, writeFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { join } = require('node:path')
const { setFlagsFromString } = require('node:v8')
const { constants, Script } = require('node:vm')
const { BroadcastChannel, getEnvironmentData, setEnvironmentData } = require('node:worker_threads')

const PIECE = /^\.\/[^/]+\.cjs$/
const WRITE_CHANNEL = 'belltower:write-code-cache'
const BUILD = 'belltower:build'
const V8_SETTINGS = 'belltower:v8-settings'
const NOT_LOADING = new Int32Array(1)

/** V8's flags while code is loaded, and otherwise: lib/v8-settings.ts. */
function setFlags(which) {
  for (const flag of getEnvironmentData(V8_SETTINGS)?.[which] ?? []) setFlagsFromString(flag)
}

const isLoading = () => Atomics.load(getEnvironmentData(V8_SETTINGS)?.isLoading ?? NOT_LOADING, 0) !== 0

/**
 * @param {string} entry name of the thread's first piece
 * @param {string} build names the contents of all pieces
 */
module.exports = function run(entry, build) {
  requireSame(build)
  const folder = join(__dirname, 'code-cache', entry)
  const modules = new Map()
  const scripts = new Map()
  let depth = 0
  const load = (name) => {
    const module = modules.get(name)
    if (module !== undefined) return module.exports
    depth++
    setFlags('usual')
    try {
      return loadPiece(name)
    } finally {
      if (--depth === 0 && !isLoading()) setFlags('wanted')
    }
  }
  const loadPiece = (name) => {
    const module = { exports: {} }
    modules.set(name, module)
    const filename = join(__dirname, name)
    // The pieces are ASCII: strings of one byte a character.
    const source = readFileSync(filename, 'latin1')
    const importModuleDynamically = constants.USE_MAIN_CONTEXT_DEFAULT_LOADER
    const cachedData = readIfThere(join(folder, name))
    const script = new Script(source, { filename, importModuleDynamically, ...(cachedData && { cachedData }) })
    scripts.set(name, script)
    const native = createRequire(filename)
    const require = (id) => (PIECE.test(id) ? load(id.slice(2)) : native(id))
    require.resolve = native.resolve
    script.runInThisContext()(module.exports, require, module, filename, __dirname)
    return module.exports
  }
  if (getEnvironmentData(WRITE_CHANNEL) !== undefined) writeWhenAsked(folder, scripts)
  load(entry)
}

/** Threads share memory, and some start long after the program: none may come from another build that was put in its place. */
function requireSame(build) {
  const known = getEnvironmentData(BUILD)
  if (known === undefined) setEnvironmentData(BUILD, build)
  else if (known !== build) throw new Error('Belltower was replaced by another build while it ran: restart it')
}

function readIfThere(file) {
  try {
    return readFileSync(file)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    return undefined
  }
}

/** Only where the build runs the program to see what it needs. */
function writeWhenAsked(folder, scripts) {
  const channel = new BroadcastChannel(WRITE_CHANNEL)
  channel.unref()
  channel.onmessage = () => {
    setFlags('usual')
    mkdirSync(folder, { recursive: true })
    for (const [name, script] of scripts) writeFileSync(join(folder, name), script.createCachedData())
  }
}
