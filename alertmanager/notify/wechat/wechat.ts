import type { ServiceConfig } from '../../config/services.ts'
import { filledIn } from '../attachment.ts'
import { jsonOf, notItsAnswer } from '../http-delivery.ts'
import { DeliveryError, type DeliveryResult, type Notification, type Notifier } from '../notifier.ts'
import { compact, joinUrl, type NotifierOptions, secretValue, Service } from '../service.ts'

type Config = ServiceConfig<'wechat'>

const API_URL = 'https://qyapi.weixin.qq.com/cgi-bin/'
const TOKEN_LIFE_MS = 2 * 3_600_000
/** The token is not, or no longer, valid: the next attempt fetches another. */
const TOKEN_ERRORS = new Set([40_014, 41_001, 42_001])
const BUSY_ERRORS = new Set([-1, 45_009, 45_033])
const byDefault = (name: string): string => `{{ template "wechat.default.${name}" . }}`

/** A message of an app of WeChat Work; every answer has status 200 and says in `errcode` what it is. */
export class WechatNotifier implements Notifier {
  readonly #config: Config
  readonly #service: Service
  readonly #texts
  #token: { readonly value: string; readonly takenAtMs: number } | undefined

  constructor(options: NotifierOptions<Config>) {
    const { settings } = options.config
    const service = new Service(options)
    this.#config = options.config
    this.#service = service
    this.#texts = {
      touser: service.text('to_user', settings.to_user ?? byDefault('to_user')),
      toparty: service.text('to_party', settings.to_party ?? byDefault('to_party')),
      totag: service.text('to_tag', settings.to_tag ?? byDefault('to_tag')),
      agentid: service.text('agent_id', settings.agent_id ?? byDefault('agent_id')),
      content: service.text('message', settings.message ?? byDefault('message')),
    }
  }

  async send(notification: Notification): Promise<DeliveryResult> {
    const { settings } = this.#config
    const token = await this.#accessToken(notification)
    const { content, ...receivers } = await filledIn(this.#texts, notification)
    const type = settings.message_type ?? 'text'
    const response = await this.#service.call(notification, {
      url: `${joinUrl(settings.api_url ?? API_URL, 'message/send')}?${new URLSearchParams({ access_token: token })}`,
      secrets: [token],
      json: { ...compact(receivers), msgtype: type, [type]: { content }, safe: '0' },
    })
    const answer = jsonOf(response)
    if (typeof answer?.['errcode'] !== 'number') throw notItsAnswer(response, 'an errcode')
    const { errcode, errmsg } = answer as { errcode: number; errmsg: unknown }
    if (errcode === 0) return { detail: `message ${String(answer['msgid'] ?? 'taken')}` }
    const isTokenError = TOKEN_ERRORS.has(errcode)
    if (isTokenError) this.#token = undefined
    throw new DeliveryError(`${String(errmsg)} (errcode ${errcode})`, {
      reason: isTokenError ? 'authError' : errcode === 45_009 ? 'rateLimited' : 'clientError',
      retryable: isTokenError || BUSY_ERRORS.has(errcode),
    })
  }

  close(): Promise<void> {
    return this.#service.close()
  }

  async #accessToken(notification: Notification): Promise<string> {
    const { settings } = this.#config
    const nowMs = this.#service.nowMs()
    if (this.#token && nowMs - this.#token.takenAtMs < TOKEN_LIFE_MS) return this.#token.value
    const secret = await secretValue(settings, 'api_secret')
    const query = new URLSearchParams({ corpid: settings.corp_id ?? '', corpsecret: secret })
    const response = await this.#service.call(notification, {
      url: `${joinUrl(settings.api_url ?? API_URL, 'gettoken')}?${query}`,
      method: 'GET',
      secrets: [secret],
    })
    const answer = jsonOf(response)
    const value = answer?.['access_token']
    if (typeof value !== 'string' || value === '') {
      const why = answer ? `${String(answer['errmsg'])} (errcode ${String(answer['errcode'])})` : 'no JSON'
      throw new DeliveryError(`no access token for corp_id ${settings.corp_id}: ${why}`, {
        reason: 'authError',
        retryable: answer === undefined || answer['errcode'] === -1,
      })
    }
    this.#token = { value, takenAtMs: nowMs }
    return value
  }
}
