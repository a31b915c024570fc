// Appends rows until it is killed and says on stdout up to which row everything is in the log.
import { openStore, writeRow } from './store.ts'

const FIRST_MS = 1_700_000_000_000
const [, , folder, blockDuration = '7200000', maintainEvery = '100', retention, resolution] = process.argv
const tiers = resolution === undefined ? [] : [{ resolutionMs: Number(resolution), retentionMs: 1e15 }]
const store = await openStore(folder!, {
  checkpointLogBytes: 10_000,
  walSegmentBytesMax: 20_000,
  blockDurationMs: Number(blockDuration),
  ...(retention === undefined ? {} : { retentionMs: Number(retention) }),
  tiers,
})
const writers = ['a', 'b', 'c'].map((instance) => {
  const writer = store.openGroup(['instance', instance])
  writer.addSeries([
    ['__name__', 'count'],
    ['__name__', 'half'],
  ])
  return writer
})
const appender = store.appender({ stream: 'rules' })
for (let row = 0; ; row++) {
  const timeMs = FIRST_MS + row * 1000
  for (const writer of writers)
    writeRow(writer, timeMs, [
      [0, row],
      [1, row / 2],
    ])
  appender.append(undefined, ['__name__', 'rule'], timeMs, row)
  await appender.commit()
  // Once it is waited for, so that a checkpoint is there; else it runs beside the appending.
  if (row === 500) await store.maintain()
  else if (row % Number(maintainEvery) === 0) void store.maintain()
  process.stdout.write(`${row}\n`)
}
