import { existsSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorMessage, type Logger } from '../../lib/index.ts'
import type { NotificationLog } from '../notify/notification-log.ts'
import type { Silences } from '../silence/silences.ts'
import type { StateLog } from '../store/state-log.ts'
import { readNotificationLogFile, readSilencesFile } from './original-files.ts'

/** Whether a folder was the original's and has never been ours. */
export const isOriginalsFolder = (dataDir: string): boolean =>
  existsSync(dataDir) &&
  ['silences', 'nflog'].some((name) => existsSync(join(dataDir, name))) &&
  !readdirSync(dataDir).some((name) => /^state-\d+\.log$/.test(name))

/**
 * Takes over silences and what has been notified, so that a move neither wakes what is silenced nor tells again what was
 * told. The files stay as they are. A file that cannot be read is told of and left out.
 */
export async function importOriginalsState(
  dataDir: string,
  state: { readonly silences: Silences; readonly notificationLog: NotificationLog; readonly log: StateLog },
  logger: Logger,
): Promise<void> {
  const counts = { silences: 0, notifications: 0 }
  await reading(dataDir, 'silences', logger, (bytes) => {
    for (const silence of readSilencesFile(bytes)) counts.silences += Number(state.silences.merge(silence, state.log))
  })
  await reading(dataDir, 'nflog', logger, (bytes) => {
    for (const { key, entry } of readNotificationLogFile(bytes))
      counts.notifications += Number(state.notificationLog.merge(key, entry, state.log))
  })
  await state.log.commit()
  logger.info(counts, 'Took over the state of another Alertmanager')
}

async function reading(dataDir: string, name: string, logger: Logger, run: (bytes: Uint8Array) => void): Promise<void> {
  const path = join(dataDir, name)
  if (!existsSync(path)) return
  try {
    run(await readFile(path))
  } catch (error) {
    logger.error({ path, reason: errorMessage(error) }, 'A file of another Alertmanager could not be taken over whole')
  }
}
