import { AppError } from '../lib/errors.ts'

/** Bytes on disk do not match their checksum or their format. Reading stops here. */
export class CorruptionError extends AppError {
  override readonly code = 'ERR_TSDB_CORRUPTION'
  readonly file: string
  /** Byte at which the bad record or page starts. */
  readonly offset: number

  constructor(file: string, offset: number, why: string, options?: ErrorOptions) {
    super(`${file}: corrupt at byte ${offset}: ${why}`, options)
    this.file = file
    this.offset = offset
  }
}

/** Another process has the data folder open. */
export class DataFolderLockedError extends AppError {
  override readonly code = 'ERR_TSDB_LOCKED'
}

/** The data folder cannot be written: the disk is read-only, or the permission is missing. */
export class DataFolderReadOnlyError extends AppError {
  override readonly code = 'ERR_TSDB_READ_ONLY'
}

/** The memory reserved for recent samples is used up. */
export class HeadMemoryFullError extends AppError {
  override readonly code = 'ERR_TSDB_HEAD_FULL'
  override readonly httpStatus = 503
}

/** The log cannot be written (disk full, I/O error); what was just written may be lost with the process. */
export class LogWriteError extends AppError {
  override readonly code = 'ERR_TSDB_LOG_WRITE'
  override readonly httpStatus = 503
}

/** What the newest samples were to be written to failed; they are in the log, and it is tried again. */
export class SealFailedError extends AppError {
  override readonly code = 'ERR_TSDB_SEAL'
  override readonly httpStatus = 503
}

/** The store, or the group, was closed before this call. */
export class StoreClosedError extends AppError {
  override readonly code = 'ERR_TSDB_CLOSED'
  override readonly httpStatus = 503
}

/** A file is of a format that only a newer version knows. Nothing is touched. */
export class NewerFormatError extends AppError {
  override readonly code = 'ERR_TSDB_NEWER_FORMAT'
}
