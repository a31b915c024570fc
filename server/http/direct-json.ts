// Hot: dashboards ask here all day. Covered by bench/load/api.ts.
import type { IncomingMessage } from 'node:http'
import type { JsonAnswer } from '../query/query-worker.ts'
import { FORM_BYTES_MAX, staysOnThisMachine } from './app.ts'
import { type DirectHandler, readBody, sendDirect } from './direct.ts'
import { abortSignalOf, failureOf } from './envelope.ts'
import { freeBuffer } from './free-buffer.ts'

/** Starts what a request asks for. @throws what `failureOf` can tell */
type StartAnswer = (
  request: IncomingMessage,
  params: URLSearchParams,
  clientIp: string,
  signal: AbortSignal,
) => Promise<JsonAnswer>

const JSON_TYPE = 'application/json'
const FORM_TYPE = 'application/x-www-form-urlencoded'

/** Answers with JSON that a query worker has written, as `sendAnswer` and `sendFailure` do. */
export function directJson(start: StartAnswer): DirectHandler {
  return async (request, response) => {
    if (staysOnThisMachine(request)) delete request.headers['accept-encoding']
    try {
      const params = await paramsOf(request)
      const { body, gzip } = await start(
        request,
        params,
        request.socket.remoteAddress ?? '',
        abortSignalOf({ raw: response }),
      )
      // Finished means that the kernel has taken all of it.
      response.once('finish', () => freeBuffer(body))
      const packed = gzip ? ['Content-Encoding', 'gzip', 'Vary', 'Accept-Encoding'] : []
      sendDirect(response, 200, ['Content-Type', JSON_TYPE, ...packed], body)
      return 200
    } catch (error) {
      const { status, body } = failureOf(error)
      sendDirect(response, status, ['Content-Type', `${JSON_TYPE}; charset=utf-8`], body)
      return status
    }
  }
}

/** As Go's `FormValue`: those of the body, if it is a form, come first. A body that is none is not looked at. */
async function paramsOf(request: IncomingMessage): Promise<URLSearchParams> {
  const url = request.url!
  const mark = url.indexOf('?')
  const query = mark < 0 ? '' : url.slice(mark + 1)
  if (request.method !== 'POST') return new URLSearchParams(query)
  const isForm = request.headers['content-type']?.toLowerCase().startsWith(FORM_TYPE)
  if (!isForm) {
    request.resume()
    return new URLSearchParams(query)
  }
  const form = Buffer.concat(await readBody(request, FORM_BYTES_MAX)).toString()
  return new URLSearchParams(query === '' ? form : `${form}&${query}`)
}
