// Entry of the WebAssembly build: every kernel that TypeScript calls is exported here.
export { sumF64 } from './sum'
export { columnPack, columnUnpack } from './column'
export { rowApply, rowEncode, rowsToColumns } from './row'
export { lockstepApply, lockstepCompare, lockstepCountLines, lockstepOrder, lockstepRematch } from './lockstep'
export { formatPoints, formatPrefixedPoints, formatPrefixes, formatSample } from './number-format'
export { windowAvg, windowBounds, windowMax, windowMin, windowRate, windowSum } from './window'
export { snappyUnpack } from './snappy'
export { writeRequestScan } from './write-request'
