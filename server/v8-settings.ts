/** Imported before everything else by the command line: V8 reads these while the heap is still small. */
import { setFlagsFromString } from 'node:v8'
import { setEnvironmentData } from 'node:worker_threads'

const FLAGS = [
  // The young generation otherwise grows to 16 MiB a half and stays there: resident memory for nothing, as little lives long
  // here.
  '--semi-space-growth-factor=1',
  // So small a one is swept sooner alone than other threads are woken and waited for: 12 ms at worst instead of 40 when the
  // machine is busy.
  '--no-parallel-scavenge',
  // Code that only the start needs is let go at the second collection that finds it unused, not at the fifth.
  '--bytecode-old-age=2',
]

for (const flag of FLAGS) setFlagsFromString(flag)
// V8 takes the first one back whenever a thread starts: each sets it again (scripts/load-bundle.cjs).
setEnvironmentData('belltower:v8-flags', FLAGS)
