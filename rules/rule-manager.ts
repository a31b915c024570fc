import { compareStrings, type Labels } from '../model/index.ts'
import type { Clock, Logger, Registry } from '../lib/index.ts'
import type { AlertSink, Appendable, QueryFunction, RangeFunction } from '../model/index.ts'
import { writeStaleMarkers } from './output-series.ts'
import { groupKey, type RuleGroupConfig } from './rule-config.ts'
import { type GroupEnvironment, type ResolvedGroup, RuleGroup } from './rule-group.ts'
import { RuleMetrics } from './rule-metrics.ts'
import type { AlertInfo, RuleGroupState } from './rule-state.ts'

/** What a reload may change. */
export interface RuleSettings {
  /** Of groups that name none. */
  readonly evaluationIntervalMs: number
  /** Of groups that name none. Default 0. */
  readonly queryOffsetMs?: number
  readonly externalLabels: Labels
  /** Without a slash at the end. */
  readonly externalUrl: string
}

export interface RuleManagerOptions extends RuleSettings {
  readonly clock: Clock
  readonly logger: Logger
  readonly registry: Registry
  readonly query: QueryFunction
  readonly queryRange: RangeFunction
  readonly appendable: Appendable
  readonly sink: AlertSink
  /** Firing alerts are sent again after this. Default 1 minute. */
  readonly resendDelayMs?: number
  /** Alert state older than this is not taken up again after a restart. Default 1 hour. */
  readonly forOutageToleranceMs?: number
  /** After a restart, pending alerts wait at least so long. Default 10 minutes. */
  readonly forGracePeriodMs?: number
  /** From `start` to a group's first evaluation: once to twice this, spread over the groups. Default 2 s. */
  readonly firstEvaluationDelayMs?: number
}

/** Runs rule groups on the clock. */
export interface RuleManager {
  /**
   * Makes these the groups. Groups that stay as they are run on undisturbed; changed ones inherit alerts and series by rule
   * name and labels; series of what is gone are ended.
   *
   * @throws {TemplateParseError} and changes nothing
   */
  apply(groups: readonly RuleGroupConfig[], settings?: RuleSettings): Promise<void>
  /** Begins to evaluate. Alert state from before is restored in groups that were applied before the first start. */
  start(): void
  /** Resolves when no evaluation is under way any more. */
  stop(): Promise<void>
  /** Sorted by file and name. */
  groups(): readonly RuleGroupState[]
  /** Pending and firing alerts of all groups. */
  alerts(): readonly AlertInfo[]
}

export function createRuleManager(options: RuleManagerOptions): RuleManager {
  return new Manager(options)
}

class Manager implements RuleManager {
  readonly #environment: GroupEnvironment & { settings: RuleSettings }
  #groups = new Map<string, RuleGroup>()
  #isStarted = false
  #isStopped = false
  /** One change at a time. */
  #applying: Promise<void> = Promise.resolve()
  /** Timers that end the series of removed groups. */
  readonly #endings = new Set<() => void>()

  constructor(options: RuleManagerOptions) {
    this.#environment = {
      clock: options.clock,
      logger: options.logger.child({ module: 'rules' }),
      metrics: new RuleMetrics(options.registry),
      query: options.query,
      queryRange: options.queryRange,
      appendable: options.appendable,
      sink: options.sink,
      resendDelayMs: options.resendDelayMs ?? 60_000,
      forOutageToleranceMs: options.forOutageToleranceMs ?? 3_600_000,
      forGracePeriodMs: options.forGracePeriodMs ?? 600_000,
      firstEvaluationDelayMs: options.firstEvaluationDelayMs ?? 2000,
      settings: options,
    }
  }

  apply(groups: readonly RuleGroupConfig[], settings: RuleSettings = this.#environment.settings): Promise<void> {
    const applied = this.#applying.then(() => this.#apply(groups, settings))
    this.#applying = applied.catch(() => undefined) // The caller has the rejection.
    return applied
  }

  async #apply(groups: readonly RuleGroupConfig[], settings: RuleSettings): Promise<void> {
    const next = new Map<string, RuleGroup>()
    for (const config of groups) {
      const group = this.#groupFor(resolveGroup(config, settings))
      next.set(group.key, group)
    }
    // From here on nothing fails.
    this.#environment.settings = settings
    const previous = this.#groups
    const leaving = [...previous.values()].filter((group) => next.get(group.key) !== group)
    await Promise.all(leaving.map((group) => group.stop()))
    for (const old of leaving) this.#replace(old, next.get(old.key))
    this.#groups = next
    for (const group of next.values()) {
      if (previous.get(group.key) !== group) this.#begin(group)
    }
  }

  #groupFor(config: ResolvedGroup): RuleGroup {
    const current = this.#groups.get(groupKey(config))
    if (current && JSON.stringify(current.config) === JSON.stringify(config)) return current
    // State of before the restart is taken up once; a group changed before that still waits for it.
    const restores = current ? current.restoreIsDue : !this.#isStarted
    return new RuleGroup(config, this.#environment, { restores })
  }

  #replace(old: RuleGroup, successor: RuleGroup | undefined): void {
    if (successor) successor.takeStateFrom(old)
    else this.#endLater(old)
  }

  #begin(group: RuleGroup): void {
    const { config, key } = group
    this.#environment.metrics.addGroup(key, config.rules.length, config.intervalMs / 1000)
    if (this.#isStarted && !this.#isStopped) group.start()
  }

  /** A group that has only got another name writes the same series soon, and these must not end in between. */
  #endLater(group: RuleGroup): void {
    const { clock, metrics, appendable, logger } = this.#environment
    metrics.removeGroup(group.key)
    const series = group.seriesLabels
    const removedAtMs = clock.nowMs()
    const cancel = clock.schedule(2 * group.config.intervalMs, () => {
      this.#endings.delete(cancel)
      writeStaleMarkers(appendable, series, removedAtMs).catch((error: unknown) => {
        logger.error({ err: error, group: group.key }, 'ending the series of a removed rule group failed')
      })
    })
    this.#endings.add(cancel)
  }

  start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    for (const group of this.#groups.values()) group.start()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#applying
    for (const cancel of this.#endings) cancel()
    this.#endings.clear()
    await Promise.all([...this.#groups.values()].map((group) => group.stop()))
  }

  groups(): readonly RuleGroupState[] {
    const states = [...this.#groups.values()].map((group) => group.state())
    return states.sort((a, b) => compareStrings(a.file, b.file) || compareStrings(a.name, b.name))
  }

  alerts(): readonly AlertInfo[] {
    return this.groups().flatMap((group) =>
      group.rules.flatMap((rule) => (rule.kind === 'alerting' ? rule.alerts : [])),
    )
  }
}

const resolveGroup = (config: RuleGroupConfig, settings: RuleSettings): ResolvedGroup => ({
  ...config,
  intervalMs: config.intervalMs ?? settings.evaluationIntervalMs,
  queryOffsetMs: config.queryOffsetMs ?? settings.queryOffsetMs ?? 0,
})
