/** Imported before everything else by the command line. */
import { useV8Settings } from '../lib/v8-settings.ts'
import { compactLessLater } from './compaction.ts'

useV8Settings([
  // The young generation otherwise grows to 16 MiB a half and stays there: resident memory for nothing, as little lives long
  // here. V8 takes it back whenever a thread starts.
  ['--semi-space-growth-factor=1', '--semi-space-growth-factor=2'],
  // So small a one is swept sooner alone than other threads are woken and waited for: 12 ms at worst instead of 40 when the
  // machine is busy.
  ['--no-parallel-scavenge', '--parallel-scavenge'],
  // Code that only the start needs is let go at the second collection that finds it unused, not at the fifth.
  ['--bytecode-old-age=2', '--bytecode-old-age=5'],
  // Changed later (compaction.ts), while code is kept for this setting.
  ['--compact', '--compact'],
])
compactLessLater()
