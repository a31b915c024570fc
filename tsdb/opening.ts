import { columnKernels, createKernelMemory, instantiateKernels, rowKernels } from '../kernels/index.ts'
import type { Turns } from '../lib/index.ts'
import { removeLeftovers } from './block/block-folder.ts'
import { BlockList } from './block/block-list.ts'
import { DeletionList } from './block/deletion-list.ts'
import { listChunkFiles, readChunkFileWindow } from './chunk/head-chunk-file.ts'
import { Head } from './head/head.ts'
import { HeadLoader } from './head/head-loader.ts'
import { Adoption } from './import-export/adoption.ts'
import { HeadMemory } from './memory/head-memory.ts'
import type { TsdbOptions } from './options.ts'
import { ReaderSlots } from './reader-slots.ts'
import type { StoreFolders } from './store-folders.ts'
import { replayLog, type ReplayResult } from './wal/replay.ts'

const HEAD_MEMORY_BYTES_MAX = 65_536 * 65_536
const BLOCK_DURATION_MS = 2 * 3_600_000

/** What stands of a store first: its blocks can be read, its head is empty and hidden from readers. */
export interface OpenBlocks {
  readonly memory: HeadMemory
  readonly head: Head
  readonly blockList: BlockList
  readonly deletions: DeletionList
  readonly adoption: Adoption | undefined
  readonly readers: ReaderSlots
  /** Told of rows that have been closed, and their bytes; to be set by who seals them. */
  onClosed: (bytes: number) => void
}

/** What the head was read back from. */
export interface LoadedHead {
  /** Window start by number of the head-chunk file. */
  readonly files: ReadonlyMap<number, number>
  readonly replayed: ReplayResult
  readonly corruptions: number
}

/** The first step of opening a store: everything but the head. */
export function openBlocks(options: TsdbOptions, folders: StoreFolders): OpenBlocks {
  const { logger } = options
  removeLeftovers(folders.dataDir)
  removeLeftovers(folders.snapshots)
  const adoption = makeAdoption(options, (meta) => blockList.add(meta))
  const maximumBytes = Math.min(options.headMemoryMaxBytes ?? HEAD_MEMORY_BYTES_MAX, HEAD_MEMORY_BYTES_MAX)
  const shared = createKernelMemory({ initialBytes: 4 << 20, maximumBytes })
  const memory = new HeadMemory(shared, maximumBytes)
  const instance = instantiateKernels(shared)
  const head = new Head({
    memory,
    kernels: rowKernels(instance),
    columns: columnKernels(instance),
    windowMs: options.blockDurationMs ?? BLOCK_DURATION_MS,
    onClosed: (bytes) => opened.onClosed(bytes),
  })
  const blockList = new BlockList(folders.dataDir, memory, logger)
  blockList.load()
  const deletions = new DeletionList(folders.tombstones, blockList.metas)
  blockList.deletions = deletions.all
  head.minValidMs = Math.max(blockList.maxTimeMs, adoption?.limitMs ?? Number.NEGATIVE_INFINITY)
  memory.hideHead(headFromMs(options, folders, blockList, head.windowMs))
  const readers = new ReaderSlots(memory, folders.dataDir)
  const opened: OpenBlocks = { memory, head, blockList, deletions, adoption, readers, onClosed: () => undefined }
  return opened
}

function makeAdoption(options: TsdbOptions, addBlock: BlockList['add']): Adoption | undefined {
  const { prometheusDir, dataDir, clock, retentionMs, logger } = options
  if (prometheusDir === undefined) return undefined
  return new Adoption({ sourceDir: prometheusDir, dataDir, nowMs: clock.nowMs(), retentionMs, logger, addBlock })
}

/**
 * From when on samples may be in the head and not in blocks, as far as can be told before it is read: from the end of the
 * newest block on, and as far back from there as late samples were taken.
 */
function headFromMs(options: TsdbOptions, folders: StoreFolders, blockList: BlockList, windowMs: number): number {
  const { outOfOrderTimeWindowMs: lateMs = 0 } = options
  let fromMs = blockList.maxTimeMs
  // They wait for company for up to a block's time before they become blocks.
  if (lateMs > 0) fromMs -= lateMs + windowMs
  const inBlocks = new Set(blockList.metas.flatMap((meta) => meta.headFiles ?? []))
  for (const file of listChunkFiles(folders.chunks)) {
    if (!inBlocks.has(file)) fromMs = Math.min(fromMs, readChunkFileWindow(folders.chunks, file) ?? fromMs)
  }
  return fromMs
}

/**
 * The second step: reads the head back, with a turn for others now and then, and shows it to readers once it is whole.
 *
 * @throws what `turns.next` does; nothing on disk has changed then but what opening the store again changes, too
 */
export async function loadHead(
  { memory, head, blockList }: OpenBlocks,
  { logger }: TsdbOptions,
  folders: StoreFolders,
  turns: Turns,
): Promise<LoadedHead> {
  const loader = new HeadLoader(head, folders, logger, turns)
  const checkpointMinValidMs = await loader.loadCheckpoint()
  let files: ReadonlyMap<number, number> = new Map()
  const replayed = await replayLog(head, folders.wal, {
    quarantineFolder: folders.quarantine,
    logger,
    isCheckpointLost: loader.damageCount > 0,
    beforeRows: async () => {
      files = await loader.loadChunks(blockList.metas)
    },
    turns,
  })
  head.histograms.endRestore()
  head.minValidMs = Math.max(head.minValidMs, checkpointMinValidMs)
  for (const group of head.groups.values()) {
    group.closeRows()
    if (turns.isOver) await turns.next()
  }
  memory.showHead()
  return { files, replayed, corruptions: loader.damageCount + replayed.damagedRanges }
}
