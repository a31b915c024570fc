import type { Labels } from '../labels.ts'
import type { ProtoWriter } from './proto-writer.ts'

/** Field 1, once for each label: the shape that metric families, remote write and remote read have in common. */
export function writeLabelPairs(writer: ProtoWriter, labels: Labels): void {
  for (let i = 0; i < labels.length; i += 2) {
    const mark = writer.open(1)
    writer.string(1, labels[i]!)
    writer.string(2, labels[i + 1]!)
    writer.close(mark)
  }
}
