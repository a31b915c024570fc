import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const ROOT = dirname(fileURLToPath(import.meta.url))

/** Tests that start whole programs or a browser: first, and each file in a process of its own. */
const WHOLE_PROGRAMS = [
  'tests/e2e/**/*.test.ts',
  'tests/crash/**/*.test.ts',
  'dashboards/ui/tests/**/*.test.ts',
  'bench/load/**/*.test.ts',
  'server/demo/**/*.test.ts',
]
const EXCLUDED = ['**/node_modules/**', '**/dist/**', 'data/**']

export default defineConfig({
  test: {
    // For whoever hangs; how long something takes is nobody's concern here.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is polled for takes as long as the machine makes it take.
    expect: { poll: { timeout: 10_000 } },
    passWithNoTests: false,
    pool: 'forks',
    // Many wait more than they compute; left to itself a machine of two cores would run one file at a time.
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        // Workers are compiled once, not by each of their threads.
        resolve: { alias: [{ find: /^\..*\/worker\.ts$/, replacement: join(ROOT, 'tests/support/start-worker.ts') }] },
        test: {
          name: 'unit',
          globalSetup: 'tests/support/compiled-workers.ts',
          include: ['**/*.test.ts'],
          exclude: [...EXCLUDED, ...WHOLE_PROGRAMS],
          // Files one after the other in the same process: half the work of small ones is to load what they test.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: WHOLE_PROGRAMS,
          exclude: EXCLUDED,
        },
      },
    ],
  },
})
