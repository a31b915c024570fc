import { defineConfig } from 'vitest/config'

/** Tests that start whole programs or a browser: one file at a time, after the others, so that none starves another. */
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
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // What is polled for takes as long as the machine makes it take.
    expect: { poll: { timeout: 10_000 } },
    passWithNoTests: false,
    pool: 'forks',
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [...EXCLUDED, ...WHOLE_PROGRAMS],
          // Many wait more than they compute; left to itself a machine of two cores would run one file at a time.
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: WHOLE_PROGRAMS,
          exclude: EXCLUDED,
          fileParallelism: false,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
