import { type Clock, errorMessage, type Logger } from '../lib/index.ts'
import { EMPTY_LABELS, type Labels, labelsFromEntries, labelsFromRecord } from '../model/index.ts'
import { AlertMemo, type StoredAlert } from './alert/stored-alert.ts'
import type { AlertmanagerConfig } from './config/types.ts'
import type { FlushedAlert, GroupFlush } from './dispatch/alert-group.ts'
import { Dispatcher, type DispatcherOptions } from './dispatch/dispatcher.ts'
import { Inhibitor } from './inhibit/inhibitor.ts'
import type { AlertmanagerMetrics } from './metrics.ts'
import { buildIntegrations, type HttpClientFactory } from './notify/integrations.ts'
import type { Integration, Notification } from './notify/notifier.ts'
import { Pipeline } from './notify/pipeline.ts'
import type { AlertInput } from './alert/ingest.ts'
import type { OnCallMetrics } from './oncall/metrics.ts'
import { OnCall } from './oncall/on-call.ts'
import type { Roster } from './oncall/roster.ts'
import { NotificationTemplateError, readTemplateFiles, Templates, type Text } from './notify/templates.ts'
import { buildRoute, type Route, routeFinder } from './route/route.ts'
import type { AlertmanagerState } from './state.ts'
import type { TestOutcome } from './views.ts'

export interface RuntimeOptions {
  readonly config: AlertmanagerConfig
  readonly state: AlertmanagerState
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: AlertmanagerMetrics
  readonly httpClientFactory: HttpClientFactory
  readonly externalUrl: string
  /** How long to wait for other instances to notify. */
  readonly clusterWaitMs: () => number
  readonly ackUrlOf: (groupKey: string) => string
  readonly ackCodeOf: (groupKey: string) => string
  /** Where the provider of an integration tells what became of its messages. */
  readonly receiptUrlOf: (where: string) => string
  readonly userAgent: string
  readonly retentionMs: number
  readonly roster: Roster
  readonly onCallMetrics: OnCallMetrics
  /** The way of any alert; for those that Belltower fires itself. */
  readonly receive: (alerts: readonly AlertInput[]) => Promise<unknown>
}

const TEST_PATIENCE_MS = 30_000

/** Everything that follows from one configuration; a reload builds the next and stops this one. */
export class Runtime {
  readonly config: AlertmanagerConfig
  readonly route: Route
  /** The destinations of an alert. */
  readonly routesOf: (alert: StoredAlert) => readonly Route[]
  readonly inhibitor: Inhibitor
  readonly integrations: ReadonlyMap<string, readonly Integration[]>
  readonly onCall: OnCall
  readonly #pipeline: Pipeline
  readonly #clock: Clock
  readonly #externalUrl: string
  #dispatcher: Dispatcher | undefined

  private constructor(options: RuntimeOptions, templates: Templates) {
    const { config } = options
    this.config = config
    this.#clock = options.clock
    this.#externalUrl = options.externalUrl
    this.route = buildRoute(config.route)
    this.routesOf = routeFinder(this.route)
    this.inhibitor = new Inhibitor(config.inhibitRules)
    this.integrations = buildIntegrations({
      ...options,
      templates,
      receipts: {
        urlOf: options.receiptUrlOf,
        take: (where, report) => this.onCall.receipts.take(where, report),
      },
    })
    const routeLabels = compileRouteLabels(this.route, templates)
    this.onCall = new OnCall({
      ...options,
      dispatcher: () => this.#dispatcher,
      integrations: () => [...this.integrations.values()].flat(),
      tellStep: (flush, receiver, errand) => this.#pipeline.tellStep(flush, receiver, errand),
    })
    this.#pipeline = new Pipeline({
      ...options,
      duty: this.onCall,
      inhibitor: this.inhibitor,
      timeIntervals: config.timeIntervals,
      integrations: this.integrations,
      renderRouteLabels: (flush, alerts) => renderRouteLabels(routeLabels, flush, alerts, options.externalUrl),
    })
  }

  /** Reads the template files and tries every template. Nothing runs before `start`. @throws {NotificationTemplateError} */
  static async build(options: RuntimeOptions): Promise<Runtime> {
    const templates = new Templates(await readTemplateFiles(options.config.templates), options.clock)
    const runtime = new Runtime(options, templates)
    try {
      await templates.rehearse(rehearsals(options))
    } catch (error) {
      await runtime.stop()
      throw error instanceof NotificationTemplateError ? inFile(error, options.config) : error
    }
    return runtime
  }

  get dispatcher(): Dispatcher | undefined {
    return this.#dispatcher
  }

  start(
    alerts: Iterable<StoredAlert>,
    options: Pick<DispatcherOptions, 'holdUntilMs' | 'resumeTimer' | 'onTimer' | 'onGroupGone'>,
  ): void {
    this.#dispatcher = new Dispatcher({
      ...options,
      routesOf: this.routesOf,
      clock: this.#clock,
      flushHandler: (flush) => this.#pipeline.flush(flush),
      onGroupGone: (groupKey, receiver) => {
        this.onCall.escalator.groupGone(groupKey, receiver)
        options.onGroupGone(groupKey, receiver)
      },
    })
    for (const alert of alerts) this.add(alert)
    this.onCall.start(options.holdUntilMs)
  }

  add(alert: StoredAlert): void {
    // Before the dispatcher, since a group may flush at once.
    this.inhibitor.observe(alert)
    this.#dispatcher?.add(alert)
  }

  /** One attempt through each of a receiver's integrations, with a message that says it is a test. */
  async sendTest(receiver: string): Promise<TestOutcome[]> {
    const notification = madeUpNotification({
      receiver,
      alertname: 'BelltowerTest',
      summary: 'A test of this receiver',
      description: 'Somebody asked Belltower to try whether messages arrive here. Nothing is wrong.',
      externalUrl: this.#externalUrl,
      nowMs: this.#clock.nowMs(),
    })
    const progress = { isDone: () => false, done: async () => {} }
    return Promise.all(
      (this.integrations.get(receiver) ?? []).map(async ({ name, index, notifier }) => {
        try {
          const { detail, warning = '' } = await notifier.send(notification, progress)
          return { integration: name, index, delivered: true, detail, error: warning }
        } catch (error) {
          return { integration: name, index, delivered: false, detail: '', error: errorMessage(error) }
        }
      }),
    )
  }

  /** Waits for attempts under way, but not longer than `patienceMs`. */
  async stop(patienceMs = 0): Promise<void> {
    const stopped = Promise.all([this.#dispatcher?.stop(), this.onCall.stop()]).then(() => {})
    let cancel = (): void => {}
    const patience = new Promise<void>((resolve) => {
      cancel = this.#clock.schedule(patienceMs, resolve)
    })
    await Promise.race([stopped, patience])
    cancel()
    // What still hangs breaks off with its connection.
    await Promise.all([...this.integrations.values()].flat().map(({ notifier }) => notifier.close()))
  }
}

/** The same faults by their places in the file. */
const inFile = ({ faults }: NotificationTemplateError, config: AlertmanagerConfig): NotificationTemplateError =>
  new NotificationTemplateError(
    faults.map((fault) =>
      fault.where === ''
        ? fault
        : {
            where: '',
            what: '',
            why: config.faultAt(fault.where, fault.what, `${fault.where} ${fault.what}: ${fault.why}`),
          },
    ),
  )

function compileRouteLabels(root: Route, templates: Templates): Map<Route, [string, Text][]> {
  const compiled = new Map<Route, [string, Text][]>()
  const visit = (route: Route): void => {
    const texts = Object.entries(route.labels).map(([name, source]): [string, Text] => [
      name,
      templates.text(`route ${route.key} label ${name}`, source),
    ])
    compiled.set(route, texts)
    route.routes.forEach(visit)
  }
  visit(root)
  return compiled
}

async function renderRouteLabels(
  compiled: ReadonlyMap<Route, readonly (readonly [string, Text])[]>,
  flush: GroupFlush,
  alerts: readonly FlushedAlert[],
  externalUrl: string,
): Promise<Labels> {
  const texts = compiled.get(flush.route) ?? []
  if (texts.length === 0) return EMPTY_LABELS
  const notification: Notification = {
    receiver: flush.route.receiver,
    groupKey: flush.groupKey,
    groupLabels: flush.groupLabels,
    routeLabels: EMPTY_LABELS,
    alerts,
    reason: 'first notification',
    externalUrl,
    deadlineMs: flush.deadlineMs,
  }
  return labelsFromEntries(
    await Promise.all(texts.map(async ([name, text]) => [name, await text(notification)] as const)),
  )
}

/** Notifications that never were, with the labels that templates commonly ask for: firing, resolved, both. */
function rehearsals({ clock, externalUrl }: RuntimeOptions): Notification[] {
  const firing = madeUpNotification({
    receiver: 'rehearsal',
    alertname: 'Rehearsal',
    summary: 'A rehearsal',
    description: 'Never sent.',
    externalUrl,
    nowMs: clock.nowMs(),
  })
  const alerts = firing.alerts.map(({ alert }) => ({ alert, resolved: true }))
  return [firing, { ...firing, alerts }, { ...firing, alerts: [...firing.alerts, ...alerts] }]
}

function madeUpNotification(facts: {
  receiver: string
  alertname: string
  summary: string
  description: string
  externalUrl: string
  nowMs: number
}): Notification {
  const { receiver, alertname, summary, description, externalUrl, nowMs } = facts
  const labels = labelsFromRecord({
    alertname,
    instance: 'localhost:9090',
    job: 'belltower',
    severity: 'info',
  })
  const alert: StoredAlert = {
    fingerprint: '0000000000000000',
    labels,
    annotations: labelsFromRecord({ summary, description }),
    startsAtMs: nowMs,
    endsAtMs: nowMs + 1,
    updatedAtMs: nowMs,
    generatorUrl: 'http://localhost/',
    timeout: false,
    memo: new AlertMemo(),
  }
  return {
    receiver,
    groupKey: `{}:{alertname="${alertname}"}`,
    groupLabels: labelsFromRecord({ alertname }),
    routeLabels: EMPTY_LABELS,
    alerts: [{ alert, resolved: false }],
    reason: 'first notification',
    externalUrl,
    extra: { AckURL: '', AckCode: '', OnCall: '' },
    deadlineMs: nowMs + TEST_PATIENCE_MS,
  }
}
