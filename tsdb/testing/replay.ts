import { columnKernels, createKernelMemory, instantiateKernels, rowKernels } from '../../kernels/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { Head } from '../head/head.ts'
import { HeadMemory } from '../memory/head-memory.ts'
import { openReader } from '../index.ts'
import { type ReplayResult, replayLog } from '../wal/replay.ts'
import { type Dump, dumpReader } from './store.ts'

const MEMORY_BYTES = 4 << 20

/** Replays a log folder into a head of its own, without the rest of a store, and dumps it. */
export async function replayFolder(
  folder: string,
  quarantineFolder: string,
): Promise<{ result: ReplayResult; dump: Dump }> {
  const shared = createKernelMemory({ initialBytes: MEMORY_BYTES, maximumBytes: 16 * MEMORY_BYTES })
  const memory = new HeadMemory(shared, 16 * MEMORY_BYTES)
  const instance = instantiateKernels(shared)
  const kernels = rowKernels(instance)
  const columns = columnKernels(instance)
  const head = new Head({ memory, kernels, columns, windowMs: 7_200_000, onClosed: () => undefined })
  const result = await replayLog(head, folder, { quarantineFolder, logger: silentLogger })
  return { result, dump: dumpReader(openReader({ memory: shared, slot: 0, dataDir: folder })) }
}
