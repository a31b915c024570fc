import type { SmsSettings } from '../../config/types.ts'
import type { Service } from '../service.ts'
import { twilioCreate } from '../twilio-api.ts'
import type { SmsGateway, SmsMessage } from './gateway.ts'

type Settings = SmsSettings<'twilio'>

/** Twilio's REST API, or a gateway that speaks it. */
export class TwilioGateway implements SmsGateway {
  // It refuses more with error 21617.
  readonly charsMax = 1600
  readonly #service: Service
  readonly #settings: Settings

  constructor(service: Service, settings: Settings) {
    this.#service = service
    this.#settings = settings
  }

  send({ to, text, notification, timeoutMs }: SmsMessage): Promise<string> {
    const { from, messaging_service_sid: serviceSid } = this.#settings
    const sender = serviceSid === undefined ? { From: from ?? '' } : { MessagingServiceSid: serviceSid }
    const fields = { To: to, ...sender, Body: text }
    return twilioCreate(this.#service, this.#settings, notification, { resource: 'Messages', fields, timeoutMs })
  }

  close(): Promise<void> {
    return this.#service.close()
  }
}
