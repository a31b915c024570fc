// Entry of the WebAssembly build: every kernel that TypeScript calls is exported here.
export { sumF64 } from './sum'
