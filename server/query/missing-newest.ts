import { AppError } from '../../lib/index.ts'
import type { TsdbReader } from '../../tsdb/index.ts'

/** The store still reads its newest samples back, and there is nothing older that would answer the request. */
class NewestMissingError extends AppError {
  override readonly code = 'ERR_NEWEST_MISSING'
  override readonly httpStatus = 503
}

const WARNING = 'the newest samples are still being read back after a restart; this answer has only what lies in blocks'

const UNAVAILABLE = 'Service Unavailable: the newest samples are still being read back after a restart'

/**
 * What is to be said with an answer that has just been read.
 *
 * @param firstMs earliest time that the answer is about
 * @throws {NewestMissingError} when all of it lies behind the blocks: without anything newer an answer would be wrong, not
 *   short, and who asks for alerts must not take it for the end of one
 */
export function missingWarnings(reader: TsdbReader, firstMs: number): readonly string[] {
  const fromMs = reader.takeMissing()
  if (fromMs === undefined) return []
  if (firstMs >= fromMs) throw new NewestMissingError(UNAVAILABLE)
  return [WARNING]
}
