import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../lib/yaml-config.ts'
import { checkAlertmanagerConfig, parseAlertmanagerConfig } from '../index.ts'

const yardsticks = process.env['BELLTOWER_YARDSTICKS'] ?? join(import.meta.dirname, '../../../shared/yardsticks')
const dir = join(yardsticks, 'alertmanager-config')
// By what the files are about: contradicting, missing and null settings.
const REFUSED =
  /-both-|nil-|old-team|slack-no-|opsgenie-no-|mattermost-no-|telegram-no-|rocketchat-no-|victorops-no-|wechat-no-|sns-invalid|update-message-and-webhook/

const verdict = (file: string, text: string): string => {
  try {
    checkAlertmanagerConfig(file, text)
    return 'accepted'
  } catch (error) {
    if (error instanceof ConfigError && error.faults.every((fault) => fault.startsWith(`${file}:`))) return 'refused'
    throw error
  }
}

describe.skipIf(!existsSync(dir))('files of the original (skipped where ../shared/yardsticks is missing)', () => {
  test.each(existsSync(dir) ? readdirSync(dir) : [])('%s', (file) => {
    expect(verdict(file, readFileSync(join(dir, file), 'utf8'))).toBe(REFUSED.test(file) ? 'refused' : 'accepted')
  })

  test.each(['simple.yml', 'route_labels.yml'])('example %s', (file) => {
    expect(verdict(file, readFileSync(join(yardsticks, 'alertmanager-examples', file), 'utf8'))).toBe('accepted')
  })
})

const faultsOf = (text: string): readonly string[] => {
  try {
    parseAlertmanagerConfig('/etc/a.yml', text)
    return []
  } catch (error) {
    return (error as ConfigError).faults
  }
}

describe('faults', () => {
  const R = 'receivers: [{ name: a }]\n'
  const cases: [what: string, text: string, faults: string[]][] = [
    ['no route', R, ['/etc/a.yml:1:1: route: Invalid input: expected object, received undefined']],
    [
      'unknown keys, all of them',
      `${R}route: { receiver: a, gruop_by: [x] }\nx: 1`,
      ['/etc/a.yml:2:23: route.gruop_by: unknown key', '/etc/a.yml:3:1: x: unknown key'],
    ],
    [
      'unknown receiver',
      `${R}route:\n  receiver: a\n  routes:\n  - receiver: b`,
      ['/etc/a.yml:5:5: route.routes.0.receiver: undefined receiver "b" used in route'],
    ],
    [
      'root with matchers',
      `${R}route: { receiver: a, matchers: [x=y] }`,
      ['/etc/a.yml:2:1: route: root route must not have any matchers'],
    ],
    [
      'bad regex',
      `${R}route: { receiver: a, routes: [{ matchers: ['x=~"("'] }] }`,
      ['/etc/a.yml:2:45: route.routes.0.matchers.0: error parsing regexp: missing closing ): `(`'],
    ],
    [
      'bad duration and zero interval',
      `${R}route: { receiver: a, group_wait: 5 minutes, group_interval: 0s }`,
      [
        '/etc/a.yml:2:23: route.group_wait: not a valid duration string: "5 minutes"',
        '/etc/a.yml:2:46: route.group_interval: cannot be zero',
      ],
    ],
    [
      'group_by everything and something',
      `${R}route: { receiver: a, group_by: ['...', x] }`,
      ['/etc/a.yml:2:23: route.group_by: cannot have wildcard group_by (`...`) and other labels at the same time'],
    ],
    [
      'an SMS provider that nobody knows, and one that lacks what it needs',
      'route: { receiver: a }\nreceivers:\n- name: a\n  sms_configs: [{ provider: pigeon, to: ["+1"] }]',
      [
        '/etc/a.yml:4:19: receivers.0.sms_configs.0.provider: expected a known provider: twilio, sns, vonage, messagebird, smsc, smsru, smpp or http',
      ],
    ],
    [
      'time interval',
      `${R}route: { receiver: a }\ntime_intervals: [{ name: t, time_intervals: [{ location: Mars/Base, months: [smarch] }] }]`,
      [
        '/etc/a.yml:3:78: time_intervals.0.time_intervals.0.months.0: "smarch" is not a valid month',
        '/etc/a.yml:3:48: time_intervals.0.time_intervals.0.location: Invalid time zone specified: Mars/Base',
      ],
    ],
  ]
  test.each(cases)('%s', (_what, text, faults) => {
    expect(faultsOf(text)).toEqual(faults)
  })
})

describe('what a file means', () => {
  test('settings come down the tree; matchers and time intervals do not', () => {
    const { route } = parseAlertmanagerConfig(
      '/etc/a.yml',
      `
route:
  receiver: a
  group_by: [x]
  group_wait: 1s
  labels: { team: one }
  routes:
    - match: { s: 1 }
      match_re: { owner: team-(B|C) }
      mute_time_intervals: [t]
      labels: { tier: two }
      routes: [{ group_by: [], repeat_interval: 1d }]
    - { group_by: ['...'] }
receivers: [{ name: a }]
mute_time_intervals: [{ name: t }]
`,
    )
    const [child, all] = route.routes
    expect(child!.matchers.map(({ name, type, value }) => name + type + value)).toEqual([
      's=1',
      'owner=~^(?:team-(B|C))$',
    ])
    expect(child).toMatchObject({ receiver: 'a', groupBy: ['x'], groupWaitMs: 1000, muteTimeIntervals: ['t'] })
    expect(child!.routes[0]).toMatchObject({
      groupBy: [],
      matchers: [],
      muteTimeIntervals: [],
      groupWaitMs: 1000,
      repeatIntervalMs: 86_400_000,
      labels: { team: 'one', tier: 'two' },
    })
    expect(all).toMatchObject({ groupByAll: true, groupBy: [] })
  })

  test('secrets are not printed; templates and http_config files start from the folder of the file', () => {
    const config = parseAlertmanagerConfig(
      '/etc/belltower/a.yml',
      `
global: { smtp_smarthost: 'mail:587', smtp_from: a@b, smtp_auth_password: geheim, http_config: { proxy_url: 'http://u:geheim@p' } }
templates: ['t/*.tmpl']
route: { receiver: a }
receivers:
  - name: a
    webhook_configs: [{ url: 'http://x/geheim', http_config: { basic_auth: { username: u, password_file: pw }, http_headers: { X-Key: { secrets: [geheim] } } } }]
    sms_configs:
      - { provider: twilio, account_sid: AC1, auth_token: geheim, from: '+1', to: [+15550001] }
      - { provider: messagebird, access_key: geheim, from: B, to: ['+1'] }
      - { provider: smsru, api_id: geheim, to: ['+1'] }
      - { provider: http, url: 'http://x/', headers: { Authorization: geheim }, to: ['+1'] }
    email_configs: [{ to: c@d, auth_password_file: pw, headers: { constructor: x } }]
`,
    )
    expect(config.printed).not.toContain('geheim')
    expect(config.printed).toContain('constructor: x')
    expect(config.printed).toContain('url: http://<secret>')
    expect(config.templates).toEqual(['/etc/belltower/t/*.tmpl'])
    expect(config.printed).toContain('- "+15550001"')
    const [webhook, email, sms] = config.receivers[0]!.integrations
    expect(webhook).toMatchObject({
      kind: 'webhook',
      sendResolved: true,
      http: { basicAuth: { username: 'u', passwordFile: '/etc/belltower/pw' }, headers: { 'X-Key': 'geheim' } },
    })
    expect(sms).toMatchObject({ to: ['+15550001'] })
    expect(email).toMatchObject({ sendResolved: false, requireTls: true, authPassword: { kind: 'file', path: 'pw' } })
  })
})

describe('http_config', () => {
  const http = (settings: string) => {
    const receiver = `webhook_configs: [{ url: 'http://x/', http_config: ${settings} }]`
    const config = parseAlertmanagerConfig(
      '/etc/a.yml',
      `route: { receiver: a }\nreceivers: [{ name: a, ${receiver} }]`,
    )
    return (config.receivers[0]!.integrations[0] as { http: unknown }).http
  }

  test('all of it reaches the client', () => {
    expect(
      http(`{ oauth2: { client_id: c, client_secret_file: s, token_url: 'http://t/', scopes: [a], endpoint_params: { x: y },
        tls_config: { ca_file: oca, min_version: TLS12 }, proxy_url: 'http://op' },
        tls_config: { cert_file: c, key_file: k, max_version: TLS13 }, proxy_url: 'http://p', no_proxy: 'x,y',
        proxy_connect_header: { A: [b, c] }, follow_redirects: false, http_headers: { H: { values: [v], files: [f] } } }`),
    ).toEqual({
      oauth2: {
        clientId: 'c',
        clientSecretFile: '/etc/s',
        tokenUrl: 'http://t/',
        scopes: ['a'],
        endpointParams: { x: 'y' },
        http: { tls: { caFile: '/etc/oca', minVersion: 'TLSv1.2' }, proxyUrl: 'http://op' },
      },
      tls: { certFile: '/etc/c', keyFile: '/etc/k', maxVersion: 'TLSv1.3' },
      proxyUrl: 'http://p',
      noProxy: 'x,y',
      proxyConnectHeaders: { A: 'b, c' },
      followRedirects: false,
      headers: { H: 'v' },
      headerFiles: { H: ['/etc/f'] },
    })
    expect(http('{ basic_auth: { username_file: u, password_file: p } }')).toMatchObject({
      basicAuth: { usernameFile: '/etc/u', passwordFile: '/etc/p' },
    })
  })

  test.each([
    ['{ proxy_from_environment: true, proxy_url: "http://p" }', 'proxy_from_environment: cannot be used beside'],
    ['{ no_proxy: x }', 'no_proxy: has no meaning without proxy_url'],
    ['{ basic_auth: { password: a, password_file: b } }', 'basic_auth.password_file: at most one of'],
    ['{ bearer_token: a, basic_auth: { username: u } }', 'at most one of basic_auth, authorization, oauth2'],
  ])('%s', (settings, why) => {
    expect(() => http(settings)).toThrow(why)
  })
})
