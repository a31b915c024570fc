// Byte-level kernels (AssemblyScript → WebAssembly SIMD), each with a plain TypeScript twin that tests hold it against.
export * from './instance.ts'
