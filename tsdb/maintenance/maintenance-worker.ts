import { parentPort, workerData } from 'node:worker_threads'
import { invariant, serveRpc, Transfer } from '../../lib/index.ts'
import { writeBlock } from '../block/block-writer.ts'
import type { Deletion } from '../block/deletions.ts'
import { buildTier } from '../block/build-tier.ts'
import { hasDeleted, mergeBlocks } from '../block/merge-blocks.ts'
import type { MergeRequest, TierRequest } from '../block/merge-request.ts'
import { verifyBlock } from '../block/verify.ts'
import { Scratch } from '../memory/scratch.ts'
import { Root } from '../memory/layout.ts'
import { rootWord } from '../memory/shared-table.ts'
import { MemoryViews } from '../memory/views.ts'
import { EpochPin } from '../read/head-snapshot.ts'
import { appendChunks } from './append-chunks.ts'
import { writeCheckpoint } from './write-checkpoint.ts'
import type {
  BlockRequest,
  CheckpointRequest,
  MaintenanceData,
  SealAnswer,
  SealHistogramsRequest,
  SealRequest,
} from './protocol.ts'
import { sealHistograms } from './seal-histograms.ts'
import { sealRows } from './seal.ts'

// What takes long and needs no answer at once: one job after the other, beside the main thread.
invariant(parentPort !== null, 'the maintenance worker runs as a worker')
const { memory, slot } = workerData as MaintenanceData
const views = new MemoryViews(memory)
const pin = new EpochPin(views, slot)
const scratch = new Scratch()
const mergeScratch = new Scratch()

serveRpc(parentPort, {
  seal: (request: SealRequest) => exclusively(() => seal(request)),
  sealHistograms: (request: SealHistogramsRequest) => exclusively(() => sealHistograms(views, request)),
  checkpoint: (request: CheckpointRequest) => exclusively(() => writeCheckpoint(views, request)),
  block: (request: BlockRequest) => exclusively(() => writeBlock(views, scratch, request)),
  // These take long and look at nothing in the head: other jobs run between.
  merge: (request: MergeRequest) => mergeBlocks(mergeScratch, request),
  tier: (request: TierRequest) => buildTier(mergeScratch, request),
  hasDeleted: async ({ folder, deletions }: { folder: string; deletions: readonly Deletion[] }) =>
    hasDeleted(folder, deletions),
  verify: (folder: string) => exclusively(async () => verifyBlock(folder)),
})

let last: Promise<unknown> = Promise.resolve()

/** Queues a job; while it runs nothing it looks at in the head is freed. */
function exclusively<T>(job: () => Promise<T>): Promise<T> {
  const run = async (): Promise<T> => {
    pin.pin()
    views.refreshTo(rootWord(views, Root.MEMORY_PAGES) * 65_536)
    try {
      return await job()
    } finally {
      pin.unpin()
    }
  }
  const result = last.then(run, run)
  last = result.catch(() => undefined) // Its caller gets the failure; the next job only waits for the end.
  return result
}

/** Chunks are in their file before the answer. */
async function seal(request: SealRequest): Promise<Transfer<SealAnswer>> {
  const chunks = request.groups.map((rows) => sealRows(views, scratch, rows))
  await appendChunks(request, { chunks })
  return new Transfer(
    { chunks },
    chunks.flatMap((chunk) => (chunk === undefined ? [] : [chunk.buffer])),
  )
}
