// Hot: one call per packed scrape page. Covered by bench/load/ingest.ts.
import { constants, createGunzip, gunzipSync, gzipSync } from 'node:zlib'

/** What of Node's unpacking engine is used here; not part of its documented interface, so `findEngine` tries it out. */
interface Engine {
  readonly _handle: {
    reset(): void
    writeSync(
      flush: number,
      from: Uint8Array,
      fromAt: number,
      fromBytes: number,
      to: Uint8Array,
      toAt: number,
      toBytes: number,
    ): void
    onerror: (message: string, errno: number, code: string) => void
  }
  /** Room left in the output, bytes left of the input. */
  readonly _writeState: Uint32Array
}

/** What a piece of packed data turned out to be. */
export type Unpacked = Uint8Array | 'too large'

const OUTPUT_BYTES = 128 * 1024

/**
 * Unpacks gzip in place, at once, with one engine and one output buffer for all: without either being made anew for each
 * body, which costs more than the unpacking.
 */
export class Inflater {
  readonly #output: Uint8Array
  /** For what does not fit; bigger than the other once it is needed. */
  #large: Uint8Array
  readonly #engine: Engine | undefined
  #failure: string | undefined

  /** @param output where results stand that fit there */
  constructor(output: Uint8Array = new Uint8Array(OUTPUT_BYTES)) {
    this.#output = output
    this.#large = output
    this.#engine = this.#findEngine()
  }

  /**
   * @param bytesMax stops where the result grows beyond this
   * @returns a view that holds until the next call
   * @throws {Error} for damaged data
   */
  gunzip(packed: Uint8Array, bytesMax: number): Unpacked {
    return this.#engine === undefined ? gunzipAnew(packed, bytesMax) : this.#run(this.#engine, packed, bytesMax)
  }

  #run(engine: Engine, packed: Uint8Array, bytesMax: number): Unpacked {
    const { _handle: handle, _writeState: state } = engine
    let output = this.#output
    let taken = 0
    let made = 0
    this.#failure = undefined
    handle.reset()
    for (;;) {
      const room = output.length - made
      // Told that nothing follows, the engine keeps no copy of the last 32 KiB, and reports data that end too early.
      handle.writeSync(constants.Z_FINISH, packed, taken, packed.length - taken, output, made, room)
      if (this.#failure !== undefined) throw new Error(this.#failure)
      made += room - state[0]!
      taken = packed.length - state[1]!
      if (made > bytesMax) return 'too large'
      if (state[0]! > 0) return output.subarray(0, made)
      output = this.#largerThan(output)
    }
  }

  /** With the same content, and room behind it. */
  #largerThan(full: Uint8Array): Uint8Array {
    if (this.#large.length <= full.length) this.#large = new Uint8Array(full.length * 2)
    this.#large.set(full)
    return this.#large
  }

  /** `undefined` where Node has become another inside; its documented way takes over then. */
  #findEngine(): Engine | undefined {
    const text = Buffer.from('a'.repeat(100))
    try {
      const engine = createGunzip() as unknown as Engine
      engine._handle.onerror = (message) => {
        this.#failure = message
      }
      for (let round = 0; round < 2; round++) {
        const unpacked = this.#run(engine, gzipSync(text), text.length)
        if (unpacked === 'too large' || !text.equals(unpacked)) return undefined
      }
      return engine
    } catch {
      return undefined
    }
  }
}

function gunzipAnew(packed: Uint8Array, bytesMax: number): Unpacked {
  try {
    return gunzipSync(packed, { maxOutputLength: bytesMax })
  } catch (error) {
    if (error instanceof RangeError) return 'too large'
    throw error
  }
}
