import { rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Labels } from '../../model/index.ts'
import { syncFolder, writeDurably } from '../files.ts'
import { GroupFlag, LOST_LABEL_SET, Root } from '../memory/layout.ts'
import { rootWord } from '../memory/shared-table.ts'
import type { MemoryViews } from '../memory/views.ts'
import { takeSnapshot } from '../read/head-snapshot.ts'
import { HeadLabels } from '../read/head-labels.ts'
import { type CheckpointGroup, encodeCheckpoint, LOST_LABELS } from '../wal/checkpoint.ts'
import type { CheckpointRequest } from './protocol.ts'

/** Writes the image of all groups of the head as it is now. */
export async function writeCheckpoint(views: MemoryViews, request: CheckpointRequest): Promise<void> {
  const snapshot = takeSnapshot(views, { withEmpty: true })
  const headLabels = new HeadLabels(views, rootWord(views, Root.LABEL_SET_COUNT))
  const templates: Labels[][] = []
  const templateIndexes = new Map<string, number>()
  const groups = snapshot.groups.map((group): CheckpointGroup => {
    const key = `${group.templateId}:${group.positionCount}`
    let template = templateIndexes.get(key)
    if (template === undefined) {
      template = templates.length
      templateIndexes.set(key, template)
      const sets = views.u32.subarray(group.template >>> 2, (group.template >>> 2) + group.positionCount)
      templates.push(Array.from(sets, (set) => (set === LOST_LABEL_SET ? LOST_LABELS : headLabels.labelSet(set))))
    }
    return {
      id: group.id,
      isSparse: (group.flags & GroupFlag.SPARSE) !== 0,
      isLate: (group.flags & GroupFlag.LATE) !== 0,
      stream: headLabels.symbol(group.stream),
      labels: headLabels.labelSet(group.labelSet),
      newestMs: group.newestMs,
      template,
    }
  })
  const { walSegment, minValidMs, file } = request
  const temporary = `${file}.tmp`
  await writeDurably(temporary, encodeCheckpoint({ walSegment, minValidMs, groups, templates }))
  await rename(temporary, file)
  await syncFolder(dirname(file))
}
