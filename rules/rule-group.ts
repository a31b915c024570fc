import type { Clock, Logger } from '../lib/index.ts'
import type { AlertSink, Appendable, Labels, QueryFunction, RangeFunction } from '../model/index.ts'
import { AlertingRule } from './alerting-rule.ts'
import type { Evaluation, OutputSample } from './evaluation.ts'
import { writeStaleMarkers } from './output-series.ts'
import { restoreRule } from './restore.ts'
import { groupKey, type RuleGroupConfig } from './rule-config.ts'
import type { RuleMetrics } from './rule-metrics.ts'
import { RuleRunner } from './rule-runner.ts'
import type { RuleGroupState } from './rule-state.ts'
import { stagesOf } from './stages.ts'
import { latestSlot, slotAfter, slotOffsetMs } from './schedule.ts'

/** What all groups share. `settings` may change while groups run. */
export interface GroupEnvironment {
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: RuleMetrics
  readonly query: QueryFunction
  readonly queryRange: RangeFunction
  readonly appendable: Appendable
  readonly sink: AlertSink
  readonly resendDelayMs: number
  readonly forOutageToleranceMs: number
  readonly forGracePeriodMs: number
  readonly firstEvaluationDelayMs: number
  readonly settings: { readonly externalLabels: Labels; readonly externalUrl: string }
}

/** A group with its defaults filled in. */
export type ResolvedGroup = RuleGroupConfig & { readonly intervalMs: number; readonly queryOffsetMs: number }

// Evaluations until the alerts' state before the restart is taken: the first one may come before any data.
const EVALUATIONS_BEFORE_RESTORE = 2

/** Evaluates its rules at each slot; what one writes, the next one sees. */
export class RuleGroup {
  readonly config: ResolvedGroup
  readonly key: string
  readonly #environment: GroupEnvironment
  readonly #logger: Logger
  readonly #runners: readonly RuleRunner[]
  readonly #stages: readonly (readonly RuleRunner[])[]
  /** Series of rules that this group no longer has. */
  #orphans: Labels[] = []
  #evaluationCount = 0
  #lastEvaluationMs: number | undefined
  #durationMs = 0
  #restoreIsDue: boolean
  #isStopped = false
  #cancelTimer: () => void = () => undefined
  #running: Promise<void> = Promise.resolve()
  #sending: Promise<void> = Promise.resolve()

  /** @throws {TemplateParseError} */
  constructor(config: ResolvedGroup, environment: GroupEnvironment, options: { readonly restores: boolean }) {
    this.config = config
    this.key = groupKey(config)
    this.#environment = environment
    this.#logger = environment.logger.child({ group: config.name, file: config.file })
    this.#restoreIsDue = options.restores
    const runnerOptions = { restores: options.restores, logger: this.#logger }
    this.#runners = config.rules.map((rule) => new RuleRunner(rule, runnerOptions))
    this.#stages = stagesOf(config.rules).map((indexes) => indexes.map((index) => this.#runners[index]!))
  }

  get restoreIsDue(): boolean {
    return this.#restoreIsDue
  }

  /** Goes on where a stopped group of the same name ended: alerts, series and health by rule name and labels. */
  takeStateFrom(old: RuleGroup): void {
    this.#lastEvaluationMs = old.#lastEvaluationMs
    this.#durationMs = old.#durationMs
    this.#orphans = old.#orphans
    const left = [...old.#runners]
    for (const runner of this.#runners) {
      const index = left.findIndex((other) => other.identity === runner.identity)
      if (index >= 0) runner.takeStateFrom(left.splice(index, 1)[0]!)
    }
    for (const runner of left) this.#orphans.push(...runner.series.labels)
  }

  /** Every series it wrote last. */
  get seriesLabels(): readonly Labels[] {
    return [...this.#orphans, ...this.#runners.flatMap((runner) => runner.series.labels)]
  }

  // ---- time ------------------------------------------------------------------------------------------------------------

  /** A group does not wait a whole interval for its first evaluation; from then on it keeps to its slots. */
  start(): void {
    const { clock, firstEvaluationDelayMs } = this.#environment
    const nowMs = clock.nowMs()
    const slotMs = slotAfter(nowMs, this.config.intervalMs, this.#offsetMs)
    const spreadMs = firstEvaluationDelayMs > 0 ? this.#offsetMs % firstEvaluationDelayMs : 0
    const soonMs = nowMs + firstEvaluationDelayMs + spreadMs
    // The store holds the samples of a predecessor's last evaluation.
    const isNew = soonMs > (this.#lastEvaluationMs ?? -Infinity)
    this.#schedule(isNew ? Math.min(slotMs, soonMs) : slotMs)
  }

  /** Resolves when the evaluation under way is finished and its alerts are handed over. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancelTimer()
    await this.#running
    await this.#sending
  }

  get #offsetMs(): number {
    return slotOffsetMs(this.config, this.config.intervalMs)
  }

  #schedule(atMs: number): void {
    const { clock } = this.#environment
    this.#cancelTimer = clock.schedule(Math.max(0, atMs - clock.nowMs()), () => {
      this.#running = this.#iterate(atMs)
    })
  }

  async #iterate(timeMs: number): Promise<void> {
    const { clock, metrics } = this.#environment
    metrics.iterations.inc({ rule_group: this.key })
    await this.#evaluate(timeMs)
    if (this.#isStopped) return
    const { intervalMs } = this.config
    const nextMs = slotAfter(timeMs, intervalMs, this.#offsetMs)
    // A late slot is made up for as long as no newer one is due; older ones are lost.
    const dueMs = Math.max(nextMs, latestSlot(clock.nowMs(), intervalMs, this.#offsetMs))
    const missed = (dueMs - nextMs) / intervalMs
    if (missed > 0) {
      metrics.iterations.inc({ rule_group: this.key }, missed)
      metrics.iterationsMissed.inc({ rule_group: this.key }, missed)
      this.#logger.warn({ missed, durationMs: this.#durationMs }, 'rule group evaluations missed')
    }
    this.#schedule(dueMs)
  }

  // ---- one evaluation --------------------------------------------------------------------------------------------------

  async #evaluate(timeMs: number): Promise<void> {
    const { clock, metrics } = this.#environment
    const startMs = clock.nowMs()
    const labels = { rule_group: this.key }
    let sampleCount = 0
    for (const stage of this.#stages) {
      if (this.#isStopped) return
      sampleCount += await this.#runStage(stage, timeMs)
    }
    await this.#endOrphans(timeMs - this.config.queryOffsetMs)
    this.#durationMs = clock.nowMs() - startMs
    this.#lastEvaluationMs = timeMs
    this.#evaluationCount++
    metrics.groupDuration.observe(this.#durationMs / 1000)
    metrics.lastDuration.set(labels, this.#durationMs / 1000)
    metrics.lastEvaluation.set(labels, timeMs / 1000)
    metrics.lastSamples.set(labels, sampleCount)
    if (this.#restoreIsDue && this.#evaluationCount >= EVALUATIONS_BEFORE_RESTORE) await this.#restore()
  }

  /** Rules that do not depend on each other: asked at once, so that their queries travel together, and written at once. */
  async #runStage(runners: readonly RuleRunner[], timeMs: number): Promise<number> {
    const { clock, metrics } = this.#environment
    const evaluation = this.#evaluationAt(timeMs)
    const results = await Promise.all(
      runners.map(async (runner) => {
        const samples = await runner.evaluate(evaluation, () => clock.nowMs())
        if (samples !== undefined) this.#sendAlerts(runner, timeMs)
        return { runner, samples }
      }),
    )
    const done = results.flatMap(({ runner, samples }) => (samples === undefined ? [] : [{ runner, samples }]))
    const wasWritten = await this.#write(done, evaluation.queryTimeMs)
    const labels = { rule_group: this.key }
    metrics.evaluations.inc(labels, runners.length)
    const failed = wasWritten ? runners.length - done.length : runners.length
    if (failed > 0) metrics.evaluationFailures.inc(labels, failed)
    for (const runner of runners) metrics.evaluationDuration.observe(runner.durationSeconds)
    return wasWritten ? done.reduce((sum, { samples }) => sum + samples.length, 0) : 0
  }

  /** In the order of the rules. @returns whether the store took the batch */
  async #write(
    results: readonly { readonly runner: RuleRunner; readonly samples: readonly OutputSample[] }[],
    timestampMs: number,
  ): Promise<boolean> {
    const isNothing = results.every(({ runner, samples }) => samples.length === 0 && runner.series.isEmpty)
    if (isNothing) return true
    const appender = this.#environment.appendable.appender()
    try {
      for (const { runner, samples } of results) runner.stage(appender, timestampMs, samples)
      await appender.commit()
    } catch (error) {
      appender.rollback()
      for (const { runner } of results) runner.settle(error)
      return false
    }
    for (const { runner } of results) runner.settle()
    return true
  }

  #evaluationAt(timeMs: number): Evaluation {
    const { query, settings } = this.#environment
    const { queryOffsetMs, limit, file, name } = this.config
    const { externalLabels, externalUrl } = settings
    const asked: QueryFunction = (expr, atMs) => query(expr, atMs, { file, name })
    return { timeMs, queryTimeMs: timeMs - queryOffsetMs, query: asked, externalLabels, externalUrl, limit }
  }

  /** In order, and without holding up the evaluation. */
  #sendAlerts(runner: RuleRunner, timeMs: number): void {
    if (!(runner.rule instanceof AlertingRule)) return
    const { sink, resendDelayMs, settings } = this.#environment
    const { intervalMs } = this.config
    const alerts = runner.rule.takeAlertsToSend({
      timeMs,
      resendDelayMs,
      intervalMs,
      externalUrl: settings.externalUrl,
    })
    if (alerts.length === 0) return
    this.#sending = this.#sending
      .then(() => sink.send(alerts))
      .catch((error: unknown) => {
        this.#logger.error({ err: error, alertCount: alerts.length }, 'handing over alerts failed')
      })
  }

  async #endOrphans(timestampMs: number): Promise<void> {
    const orphans = this.#orphans
    this.#orphans = []
    try {
      await writeStaleMarkers(this.#environment.appendable, orphans, timestampMs)
    } catch (error) {
      this.#orphans = orphans
      this.#logger.error({ err: error }, 'ending the series of removed rules failed')
    }
  }

  async #restore(): Promise<void> {
    const { clock, queryRange, forOutageToleranceMs, forGracePeriodMs } = this.#environment
    for (const { rule } of this.#runners) {
      if (!(rule instanceof AlertingRule) || rule.isRestored) continue
      await restoreRule(rule, {
        nowMs: clock.nowMs(),
        queryRange,
        outageToleranceMs: forOutageToleranceMs,
        gracePeriodMs: forGracePeriodMs,
        logger: this.#logger,
      })
    }
    this.#restoreIsDue = false
  }

  state(): RuleGroupState {
    const { file, name, intervalMs, queryOffsetMs, limit } = this.config
    return {
      file,
      name,
      intervalMs,
      queryOffsetMs,
      limit,
      evaluationSeconds: this.#durationMs / 1000,
      lastEvaluationMs: this.#lastEvaluationMs,
      rules: this.#runners.map((runner) => runner.state()),
    }
  }
}
