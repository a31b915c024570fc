import { CorruptionError, DataFolderReadOnlyError } from './errors.ts'

// Of the file system: these say something of a file. Others speak of this process (open files, memory, permissions).
const FILE_FAULTS: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'EIO', 'EUCLEAN'])

/** Whether a file that could not be read is damaged or gone; otherwise it may well be whole. */
export const isDamage = (error: unknown): boolean =>
  error instanceof CorruptionError || FILE_FAULTS.has((error as NodeJS.ErrnoException | undefined)?.code)

const NOT_WRITABLE: ReadonlySet<string | undefined> = new Set(['EROFS', 'EACCES', 'EPERM'])

/** What keeps a data folder from being written, in words for its owner; any other error as it is. */
export function asReadOnlyError(error: unknown, dataDir: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (!NOT_WRITABLE.has(code)) return error
  return new DataFolderReadOnlyError(`the data folder ${dataDir} cannot be written, work on a copy of it: ${message}`, {
    cause: error,
  })
}
