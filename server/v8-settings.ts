/** Imported before everything else by the command line: V8 reads these while the heap is still small. */
import { setFlagsFromString } from 'node:v8'

// The young generation otherwise grows to 16 MiB a half and stays there: resident memory for nothing, as little lives long here.
setFlagsFromString('--semi-space-growth-factor=1')
