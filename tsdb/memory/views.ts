/** Typed arrays over a shared memory that grows in place. Old views stay valid but end where the memory ended then. */
export class MemoryViews {
  readonly #memory: WebAssembly.Memory
  u8: Uint8Array
  u32: Uint32Array
  i32: Int32Array
  f64: Float64Array

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory
    const { buffer } = memory
    this.u8 = new Uint8Array(buffer)
    this.u32 = new Uint32Array(buffer)
    this.i32 = new Int32Array(buffer)
    this.f64 = new Float64Array(buffer)
  }

  get byteLength(): number {
    return this.u8.byteLength
  }

  /** For readers: looks as far as the writer said the memory reaches, which another thread may learn a moment later. */
  refreshTo(bytes: number): void {
    while (this.byteLength < bytes) this.refresh()
  }

  /** Looks at the memory as it is now; needed after growth. */
  refresh(): void {
    const { buffer } = this.#memory
    if (buffer.byteLength === this.u8.byteLength) return
    this.u8 = new Uint8Array(buffer)
    this.u32 = new Uint32Array(buffer)
    this.i32 = new Int32Array(buffer)
    this.f64 = new Float64Array(buffer)
  }
}
