// Every installed package must run on the oldest Node.js that Belltower promises (package.json, "engines").
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import semver from 'semver'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const read = (name) => JSON.parse(readFileSync(join(root, name), 'utf8'))
const floor = semver.minVersion(read('package.json').engines.node)
const packages = Object.entries(read('package-lock.json').packages).filter(([path]) => path !== '')

const refusing = packages.filter(([, { engines }]) => engines?.node && !semver.satisfies(floor, engines.node))
for (const [path, { version, engines }] of refusing) console.error(`${path} ${version} needs node ${engines.node}`)

// Install scripts do not run where npm is strict; such a package would arrive broken.
const scripted = packages.filter(([, entry]) => entry.hasInstallScript && !entry.optional && !entry.dev)
for (const [path, { version }] of scripted) console.error(`${path} ${version} has an install script`)

console.log(`engines: ${packages.length} packages against node ${floor}, ${refusing.length + scripted.length} faults`)
process.exit(packages.length === 0 || refusing.length + scripted.length > 0 ? 1 : 0)
