// Entry of the WebAssembly build: every kernel that TypeScript calls is exported here.
export { sumF64 } from './sum'
export { columnPack, columnUnpack } from './column'
export { rowApply, rowEncode, rowsToColumns } from './row'
export { lockstepApply, lockstepCompare, lockstepOrder, lockstepRematch } from './lockstep'
