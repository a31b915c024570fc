import type { IncomingHttpHeaders } from 'node:http'
import { AppError, errorMessage, type Logger } from '../../lib/index.ts'
import { writeVersionOf } from './content-type.ts'
import type { RemoteWriteReceiver } from './receiver.ts'

export interface RemoteWriteApiOptions {
  /** `undefined`: switched off. */
  readonly receiver: RemoteWriteReceiver | undefined
  /** Full names of the messages that are taken. */
  readonly acceptedMessages: readonly string[]
  readonly logger: Logger
}

/** What a sender is told, however its request came in. */
export interface WriteAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Errors are plain text here, as Prometheus answers; '' where there is none. */
  readonly text: string
}

export const TEXT = 'text/plain; charset=utf-8'
const OFF = 'remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n'
const STORED: WriteAnswer = { status: 204, headers: {}, text: '' }

/**
 * Stores what a request holds.
 *
 * @param body as it came, in pieces; nobody else may change them
 */
export async function answerWrite(
  { receiver, acceptedMessages, logger }: RemoteWriteApiOptions,
  headers: IncomingHttpHeaders,
  body: readonly Uint8Array[],
): Promise<WriteAnswer> {
  if (receiver === undefined) return { status: 404, headers: {}, text: OFF }
  let onFailure = {}
  try {
    const contentEncoding = headers['content-encoding']
    const version = writeVersionOf({ contentType: headers['content-type'], contentEncoding }, acceptedMessages)
    if (version === 2) onFailure = writtenHeaders({ samples: 0, histograms: 0, exemplars: 0 })
    const outcome = await receiver.write(body, version)
    const written = version === 2 ? writtenHeaders(outcome) : {}
    if (outcome.rejection === undefined) return version === 2 ? { ...STORED, headers: written } : STORED
    logger.debug({ reason: outcome.rejection.message }, 'part of a remote write request was refused')
    return failedWrite(outcome.rejection, written)
  } catch (error) {
    logger[isNews(error) ? 'error' : 'debug']({ err: error }, 'remote write request failed')
    return failedWrite(error, onFailure)
  }
}

/** A disk that is full is told by the store, once: lines for each request would fill it again. */
const isNews = (error: unknown): boolean =>
  !(error instanceof AppError) || (error.httpStatus >= 500 && error.code !== 'ERR_TSDB_LOG_WRITE')

export function failedWrite(error: unknown, headers: Readonly<Record<string, string>> = {}): WriteAnswer {
  const { httpStatus, statusCode } = error as { httpStatus?: number; statusCode?: number }
  return { status: httpStatus ?? statusCode ?? 500, headers, text: `${errorMessage(error)}\n` }
}

/** How a sender of version 2 learns what was stored. */
function writtenHeaders(written: {
  readonly samples: number
  readonly histograms: number
  readonly exemplars: number
}): Record<string, string> {
  const name = 'X-Prometheus-Remote-Write'
  return {
    [`${name}-Samples-Written`]: String(written.samples),
    [`${name}-Histograms-Written`]: String(written.histograms),
    [`${name}-Exemplars-Written`]: String(written.exemplars),
  }
}
