import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SMS_ACCOUNT } from './mailbox.ts'

/** Writes the configuration a user of the shop would write. @returns the path of the main file */
export function writeDemoConfig(
  folder: string,
  addresses: { readonly shop: string; readonly smtp: string; readonly smsGatewayUrl: string },
): string {
  writeFileSync(join(folder, 'rules.yml'), RULES)
  writeFileSync(join(folder, 'alertmanager.yml'), alertmanagerConfig(addresses))
  const file = join(folder, 'belltower.yml')
  writeFileSync(file, mainConfig(addresses.shop))
  return file
}

const mainConfig = (shop: string): string => `global:
  scrape_interval: 5s
  evaluation_interval: 5s
rule_files: [rules.yml]
scrape_configs:
  - job_name: shop
    static_configs:
      - targets: ['${shop}']
belltower:
  self_monitoring: true
  alertmanager: alertmanager.yml
`

const RULES = `groups:
  - name: shop
    rules:
      - record: job_route:http_requests:rate30s
        expr: sum by (job, route) (rate(http_request_duration_seconds_count[30s]))
      - alert: CheckoutFails
        expr: |
          sum(rate(http_request_duration_seconds_count{job="shop", route="/checkout", status_code=~"5.."}[30s]))
            / sum(rate(http_request_duration_seconds_count{job="shop", route="/checkout"}[30s])) > 0.1
        for: 15s
        labels:
          severity: critical
        annotations:
          summary: '{{ $value | humanizePercentage }} of the checkouts fail'
          description: More than one checkout in ten has failed for 15 seconds. Customers cannot pay.
`

const alertmanagerConfig = ({ smtp, smsGatewayUrl }: { smtp: string; smsGatewayUrl: string }): string => `global:
  smtp_smarthost: '${smtp}'
  smtp_from: belltower@shop.example
  smtp_require_tls: false
route:
  receiver: on-call
  group_by: [alertname]
  group_wait: 5s
  group_interval: 10s
  repeat_interval: 4h
receivers:
  - name: on-call
    email_configs:
      - to: on-call@shop.example
        send_resolved: true
    sms_configs:
      - provider: twilio
        account_sid: ${SMS_ACCOUNT.sid}
        auth_token: ${SMS_ACCOUNT.token}
        from: '+15005550006'
        to: ['+15005550010']
        base_url: '${smsGatewayUrl}'
`
