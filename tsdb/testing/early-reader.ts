import type { Turns } from '../../lib/index.ts'
import { openReader, type Tsdb, type TsdbOptions, type TsdbReader } from '../index.ts'
import { openStore } from './store.ts'

/** A store that is being opened. */
export interface EarlyReader {
  /** There is none before there are blocks. */
  readonly reader: TsdbReader
  readonly opened: Promise<Tsdb>
  /** Closes the reader and, once it is open, the store. */
  end(): Promise<void>
}

/** Opens a store, and reads it from the moment on when there are blocks. */
export function openReadEarly(dataDir: string, options: Partial<TsdbOptions>, turns: Turns): EarlyReader {
  let attached: ReturnType<Tsdb['attachReader']> | undefined
  let reader: TsdbReader | undefined
  const opened = openStore(dataDir, options, {
    turns,
    onBlocks: (readers) => {
      attached = readers.attachReader()
      reader = openReader(attached.handle)
    },
  })
  return {
    get reader() {
      return reader!
    },
    opened,
    async end() {
      reader!.close()
      attached!.detach()
      await (await opened).close()
    },
  }
}
