// Byte-level kernels (AssemblyScript → WebAssembly SIMD), each with a plain TypeScript twin that tests hold it against.
export * from './instance.ts'
export * from './window.ts'
export * from './column.ts'
export * from './column-twin.ts'
export * from './row.ts'
export * from './row-twin.ts'
export * from './lockstep.ts'
export * from './lockstep-twin.ts'
