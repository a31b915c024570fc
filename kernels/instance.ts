import { readFileSync } from 'node:fs'

/** The kernels own the bytes of every memory below this offset (their constants); callers place data from here on. */
export const KERNEL_RESERVED_BYTES = 65_536

/** What the WebAssembly module exports: functions over byte offsets of the memory it was instantiated with. */
export type KernelExports = Readonly<Record<string, (...args: (number | bigint)[]) => number>>

let compiled: WebAssembly.Module | undefined

/** The compiled module; compiled once per thread, can be posted to workers. */
export function kernelModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('./build/kernels.wasm', import.meta.url)))
  return compiled
}

/** @param memory must be shared, with a maximum of at most 65,536 pages */
export function instantiateKernels(memory: WebAssembly.Memory): KernelExports {
  return new WebAssembly.Instance(kernelModule(), { env: { memory } }).exports as unknown as KernelExports
}

/** A fresh shared memory fit for the kernels. Reserving the maximum costs address space only. */
export function createKernelMemory(options: { initialBytes: number; maximumBytes: number }): WebAssembly.Memory {
  const pages = (bytes: number): number => Math.min(65_536, Math.max(16, Math.ceil(bytes / 65_536)))
  return new WebAssembly.Memory({
    initial: pages(options.initialBytes),
    maximum: pages(options.maximumBytes),
    shared: true,
  })
}
