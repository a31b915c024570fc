import {
  type HttpClient,
  type HttpClientConfig,
  type HttpRequest,
  HttpRequestError,
  ManualClock,
} from '../lib/index.ts'
import { silentLogger } from '../lib/log.ts'
import { Registry } from '../lib/metrics.ts'
import { labelsFromRecord } from '../model/index.ts'
import { type Alertmanager, type AlertmanagerOptions, createAlertmanager, parseAlertmanagerConfig } from './index.ts'

/** Second 0 of every scenario. */
export const START_MS = Date.UTC(2026, 0, 5, 12)

export interface SentAlert {
  readonly status: string
  readonly labels: Record<string, string>
  readonly annotations: Record<string, string>
  readonly startsAt: string
  readonly endsAt: string
}

/** Takes every request at once and keeps it; `answer` may refuse. */
export class RecordingClient implements HttpClient {
  readonly requests: { atMs: number; request: HttpRequest }[] = []
  answer: (request: HttpRequest, atMs: number) => number | 'timeout' | Promise<number> = () => 200
  headers: Record<string, string> = {}
  readonly #clock: ManualClock

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  async request(request: HttpRequest) {
    const atMs = this.#clock.nowMs()
    const status = await this.answer(request, atMs)
    if (status === 'timeout') throw new HttpRequestError(`${request.url}: no answer in time`, true)
    if (status < 300) this.requests.push({ atMs, request })
    return { status, headers: this.headers, body: new Uint8Array() }
  }

  async close(): Promise<void> {}
}

/** An Alertmanager in memory with a clock of its own and webhooks that end in a `RecordingClient`. */
export class Scenario {
  readonly clock = new ManualClock(START_MS)
  readonly client = new RecordingClient(this.clock)
  /** Set to let requests out. */
  realHttp: HttpClient | undefined
  alertmanager!: Alertmanager

  /** @param startS what its clock shows at first */
  static async start(config: string, options: Partial<AlertmanagerOptions> = {}, startS = 0): Promise<Scenario> {
    const scenario = new Scenario()
    await scenario.until(startS)
    scenario.alertmanager = await createAlertmanager({
      config: parseAlertmanagerConfig('/etc/alertmanager.yml', config),
      dataDir: undefined,
      clock: scenario.clock,
      logger: silentLogger,
      registry: new Registry(),
      externalUrl: 'http://127.0.0.1:9090/alertmanager',
      httpClientFactory: (_config: HttpClientConfig) => ({
        request: (request) => (scenario.realHttp ?? scenario.client).request(request),
        close: async () => scenario.realHttp?.close(),
      }),
      ...options,
    })
    return scenario
  }

  /** Runs the actions at their seconds, then goes on to `endS`. */
  async run(actions: readonly (readonly [atS: number, act: () => unknown])[], endS: number): Promise<void> {
    for (const [atS, act] of actions) {
      await this.until(atS)
      await act()
    }
    await this.until(endS)
    await this.alertmanager.stop()
  }

  async until(atS: number): Promise<void> {
    await this.clock.advance(START_MS + Math.round(atS * 1000) - this.clock.nowMs())
  }

  push(...alerts: PushedAlert[]): Promise<unknown> {
    return this.alertmanager.receive(
      alerts.map(({ name, labels = {}, annotation, startS, endS }) => ({
        labels: labelsFromRecord({ alertname: name, ...labels }),
        annotations: labelsFromRecord(annotation === undefined ? {} : { ann: annotation }),
        startsAtMs: startS === undefined ? undefined : START_MS + startS * 1000,
        endsAtMs: endS === undefined ? undefined : START_MS + endS * 1000,
        generatorUrl: '',
      })),
    )
  }

  /** What arrived: `second: alert, alert`, each with its start, end if resolved, and annotation. */
  received(path = '/'): string[] {
    return this.client.requests
      .filter(({ request }) => new URL(request.url).pathname === path)
      .map(({ atMs, request }) => {
        const body = JSON.parse(request.body as string) as { alerts: SentAlert[] }
        return `${(atMs - START_MS) / 1000}: ${body.alerts.map(alertText).join(', ')}`
      })
  }
}

export interface PushedAlert {
  readonly name: string
  readonly labels?: Record<string, string>
  readonly annotation?: string
  readonly startS?: number
  readonly endS?: number
}

function alertText(alert: SentAlert): string {
  const second = (time: string): number => (Date.parse(time) - START_MS) / 1000
  const end = alert.status === 'resolved' ? `-${second(alert.endsAt)}` : ''
  const { alertname, ...others } = alert.labels
  const labels = Object.values(others).map((value) => `/${value}`)
  const annotation = alert.annotations['ann'] === undefined ? '' : ` ${alert.annotations['ann']}`
  return `${alertname}${labels.join('')}${annotation} ${second(alert.startsAt)}${end}`
}
