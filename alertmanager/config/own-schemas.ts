import { z } from 'zod'
import { httpConfigSchema, tlsSchema } from './http-config.ts'
import { count, duration, flag, regex, text, textMap, templateUrl, url } from './scalars.ts'

const t = text.optional()
const b = flag.optional()
const common = { send_resolved: b, http_config: httpConfigSchema.optional(), timeout: duration.optional() }

export const sigv4Schema = z.strictObject({
  region: t,
  access_key: t,
  secret_key: t,
  profile: t,
  role_arn: t,
  external_id: t,
  use_fips_sts_endpoint: b,
})

const sms = {
  ...common,
  to: z.array(text).min(1, 'expected at least one recipient'),
  text: t,
  base_url: url.optional(),
}

const typeOfNumber = count.max(255).optional()

/** SMS, which the original does not send, by provider. */
export const smsSchema = z.lazy(() =>
  z.discriminatedUnion(
    'provider',
    [
      z.strictObject({
        ...sms,
        provider: z.literal('twilio'),
        delivery_receipts: b,
        account_sid: text.min(1, 'missing'),
        auth_token: t,
        auth_token_file: t,
        from: t,
        messaging_service_sid: t,
      }),
      z.strictObject({
        ...sms,
        provider: z.literal('sns'),
        sigv4: sigv4Schema.optional(),
        from: t,
        sms_type: z.enum(['Transactional', 'Promotional']).optional(),
        max_price: t,
      }),
      z.strictObject({
        ...sms,
        provider: z.literal('vonage'),
        delivery_receipts: b,
        api_key: text.min(1, 'missing'),
        api_secret: t,
        api_secret_file: t,
        from: text.min(1, 'missing'),
      }),
      z.strictObject({
        ...sms,
        provider: z.literal('messagebird'),
        delivery_receipts: b,
        access_key: t,
        access_key_file: t,
        from: text.min(1, 'missing'),
      }),
      z.strictObject({
        ...sms,
        provider: z.literal('smsc'),
        delivery_receipts: b,
        login: t,
        password: t,
        password_file: t,
        api_key: t,
        api_key_file: t,
        from: t,
        translit: b,
      }),
      z.strictObject({
        ...sms,
        provider: z.literal('smsru'),
        delivery_receipts: b,
        api_id: t,
        api_id_file: t,
        from: t,
        translit: b,
        test: b,
      }),
      z.strictObject({
        ...sms,
        provider: z.literal('smpp'),
        delivery_receipts: b,
        host: text.min(1, 'missing'),
        port: count.max(65_535).optional(),
        tls: b,
        tls_config: tlsSchema.optional(),
        system_id: text.min(1, 'missing'),
        password: t,
        password_file: t,
        system_type: t,
        from: t,
        source_ton: typeOfNumber,
        source_npi: typeOfNumber,
        destination_ton: typeOfNumber,
        destination_npi: typeOfNumber,
      }),
      z.strictObject({
        ...sms,
        provider: z.literal('http'),
        url: templateUrl,
        method: z.enum(['GET', 'POST', 'PUT']).optional(),
        headers: textMap.optional(),
        body: t,
        success_status: z.array(count).optional(),
        success_body: regex.optional(),
        retry_status: z.array(count).optional(),
        retry_body: regex.optional(),
        message_id: regex.optional(),
      }),
    ],
    {
      error: 'expected a known provider: twilio, sns, vonage, messagebird, smsc, smsru, smpp or http',
    },
  ),
)

/** A call that reads the alert out. */
export const voiceSchema = z.lazy(() =>
  z.strictObject({
    ...common,
    provider: z.literal('twilio', { error: 'expected a known provider: twilio' }),
    account_sid: text.min(1, 'missing'),
    auth_token: t,
    auth_token_file: t,
    from: text.min(1, 'missing'),
    to: z.array(text).min(1, 'expected at least one recipient'),
    text: t,
    language: t,
    voice: t,
    repeat: count.min(1).max(10).optional(),
    base_url: url.optional(),
  }),
)

export const ntfySchema = z.lazy(() =>
  z.strictObject({
    ...common,
    url: url.optional(),
    topic: text.min(1, 'missing'),
    token: t,
    token_file: t,
    title: t,
    message: t,
    priority: t,
    tags: t,
    click: t,
    icon: t,
    email: t,
    markdown: b,
  }),
)

export const matrixSchema = z.lazy(() =>
  z.strictObject({
    ...common,
    homeserver_url: url,
    access_token: t,
    access_token_file: t,
    room_id: text.min(1, 'missing'),
    message: t,
    html: t,
    message_type: z.enum(['m.text', 'm.notice']).optional(),
  }),
)
