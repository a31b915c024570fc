/**
 * Before the tests: compiles what worker threads run, once. From sources each thread would compile it for itself, with half a
 * second of a core for every store and server that a test starts.
 */
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { rolldown } from 'rolldown'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the compiled workers, each named as its source. */
    compiledWorkers: string
  }
}

const FOLDERS = ['lib', 'scraper', 'server', 'tsdb']

const sources = (root: string): string[] =>
  FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(root, folder, path)),
  ).filter((path) => /-worker\.ts$|lib.rpc-child\.ts$/.test(path))

/** Side by side, since they name each other, and the kernels, by relative addresses. */
async function compile(root: string, folder: string): Promise<void> {
  const bundle = await rolldown({
    input: Object.fromEntries(sources(root).map((path) => [basename(path, '.ts'), path])),
    platform: 'node',
    external: /^[^./]/,
    logLevel: 'warn',
  })
  await bundle.write({ dir: folder, format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' })
  mkdirSync(join(folder, 'build'), { recursive: true })
  copyFileSync(join(root, 'kernels/build/kernels.wasm'), join(folder, 'build/kernels.wasm'))
}

export async function setup(project: TestProject): Promise<() => void> {
  const { root } = project.config
  const folder = join(root, '.tmp', `workers-${process.pid}`)
  await compile(root, folder)
  project.onTestsRerun(() => compile(root, folder))
  project.provide('compiledWorkers', folder)
  return () => rmSync(folder, { recursive: true, force: true })
}
