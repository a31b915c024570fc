import type { Scratch } from '../memory/scratch.ts'
import { BlockOutput } from './block-output.ts'
import type { TierRequest } from './merge-request.ts'
import { MergeSource } from './merge-source.ts'
import type { BlockMeta } from './meta.ts'
import { writeSummaries } from './summary-writer.ts'
import { Turns } from './turns.ts'

/**
 * Writes a block of summaries beside the blocks of samples that it is made from.
 *
 * @returns the new block, or `undefined` when there is nothing to summarise
 * @throws {CorruptionError} when a block cannot be read; nothing is written then
 */
export async function buildTier(scratch: Scratch, request: TierRequest): Promise<BlockMeta | undefined> {
  const { dataDir, ulid, parents, replaced, resolutionMs } = request
  const mark = scratch.mark()
  const source = new MergeSource(scratch, request)
  const output = new BlockOutput(dataDir, ulid)
  const turns = new Turns()
  try {
    const written = await writeSummaries(scratch, source, resolutionMs, {
      add: (column, samples) => output.add(column, samples),
      turn: () => turns.take(),
    })
    if (written === undefined) {
      output.discard()
      return undefined
    }
    const all = [...parents, ...replaced]
    const meta = {
      minTime: Math.min(...all.map(({ minTime }) => minTime)),
      maxTime: Math.max(...all.map(({ maxTime }) => maxTime)),
      compaction: {
        level: Math.max(...parents.map(({ compaction }) => compaction.level)),
        sources: [...new Set(all.flatMap(({ compaction }) => compaction.sources))],
        parents: replaced.map(({ ulid: parent, minTime, maxTime }) => ({ ulid: parent, minTime, maxTime })),
      },
      deletions: request.deletionNumber,
      retired: request.retired,
      resolution: resolutionMs,
    }
    return await output.finish(written.index, meta, { series: written.seriesCount, otherBytes: 0 })
  } catch (error) {
    output.discard()
    throw error
  } finally {
    source.close()
    scratch.release(mark)
  }
}
