import { AppError } from '../../lib/errors.ts'

/** What was given to be imported is not what it should be, or cannot be read. Nothing was imported. */
export class ImportError extends AppError {
  override readonly code = 'ERR_TSDB_IMPORT'
  override readonly httpStatus = 400
}

/** There is no data folder at that place. */
export class DataFolderMissingError extends AppError {
  override readonly code = 'ERR_TSDB_NO_DATA_FOLDER'
  override readonly httpStatus = 400
}
