// Hot: dashboards ask here all day. Covered by bench/load/api.ts.
import type { IncomingMessage } from 'node:http'
import type { AnswerPart, JsonAnswer } from '../query/answer-memory.ts'
import type { Cancellation } from '../query/cancellation.ts'
import { type DirectHandler, readBody, sendDirect, startDirect } from './direct.ts'
import { cancellationOf, failureOf } from './envelope.ts'
import { freeWhenSent, releaseWhenSent } from './free-buffer.ts'
import { FORM_BYTES_MAX } from './request-facts.ts'

/** Starts what a request asks for. @throws what `failureOf` can tell */
type StartAnswer = (
  request: IncomingMessage,
  params: URLSearchParams,
  clientIp: string,
  cancellation: Cancellation,
  onPart: (part: AnswerPart) => void,
) => Promise<JsonAnswer>

const JSON_TYPE = 'application/json'
const FORM_TYPE = 'application/x-www-form-urlencoded'

/** Answers with JSON that a query worker has written, as `sendAnswer` and `sendFailure` do. */
export function directJson(start: StartAnswer): DirectHandler {
  return async (request, response) => {
    let sent = 0
    const onPart = ({ body, release }: AnswerPart): void => {
      if (sent === 0) {
        startDirect(response, ['Content-Type', JSON_TYPE])
        releaseWhenSent(response, release)
      }
      response.write(body.subarray(sent))
      sent = body.length
    }
    try {
      const params = await paramsOf(request)
      const clientIp = request.socket.remoteAddress ?? ''
      const answer = await start(request, params, clientIp, cancellationOf({ raw: response }), onPart)
      const { body, gzip } = answer
      freeWhenSent(response, answer)
      if (sent > 0) {
        response.end(body.subarray(sent))
        return 200
      }
      const packed = gzip ? ['Content-Encoding', 'gzip', 'Vary', 'Accept-Encoding'] : []
      sendDirect(response, 200, ['Content-Type', JSON_TYPE, ...packed], body)
      return 200
    } catch (error) {
      if (sent > 0) {
        // It is too late for another status; an answer that breaks off is known to be none.
        response.destroy()
        return 500
      }
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
