import type { Registry } from '../../lib/index.ts'
import { Counter, Gauge, gaugeOf } from '../../lib/metrics.ts'
import type { Receipt } from '../notify/receipts/receipts.ts'
import type { ExpectedHeartbeatView } from './heartbeat-monitor.ts'
import type { Roster } from './roster.ts'

/** What the part about people on call counts. The original has none of it, hence names of our own. */
export interface OnCallMetrics {
  readonly steps: Counter<'receiver' | 'outcome'>
  readonly heartbeats: Counter<'heartbeat' | 'outcome'>
  readonly receipts: Counter<'integration' | 'outcome'>
}

export function createOnCallMetrics(registry: Registry): OnCallMetrics {
  const registers = [registry]
  return {
    steps: new Counter({
      name: 'belltower_escalation_steps_total',
      help: 'Steps of escalations, by the receiver told and whether anybody was reached.',
      labelNames: ['receiver', 'outcome'],
      registers,
    }),
    heartbeats: new Counter({
      name: 'belltower_heartbeats_total',
      help: 'Signs of life to the outside: sent, failed, or withheld because something does not work.',
      labelNames: ['heartbeat', 'outcome'],
      registers,
    }),
    receipts: new Counter({
      name: 'belltower_message_receipts_total',
      help: 'Messages of which the provider has told what became of them.',
      labelNames: ['integration', 'outcome'],
      registers,
    }),
  }
}

/** What is the case, read when it is scraped. */
export interface OnCallFacts {
  escalationCount(): number
  flappingCount(): number
  receiptCounts(): ReadonlyMap<Receipt['outcome'], number>
  expectedHeartbeats(): readonly ExpectedHeartbeatView[]
  readonly roster: Roster
  nowMs(): number
}

export function registerOnCallFacts(registry: Registry, facts: OnCallFacts): void {
  const registers = [registry]
  gaugeOf(registry, 'belltower_escalations', 'Groups whose escalation is under way.', facts.escalationCount)
  gaugeOf(registry, 'belltower_flapping_alerts', 'Alerts held because they flap.', facts.flappingCount)
  gaugeOf(
    registry,
    'belltower_message_receipts_pending',
    'Messages of which the provider has not told yet what became of them.',
    () => facts.receiptCounts().get('pending') ?? 0,
  )
  new Gauge({
    name: 'belltower_heartbeat_missing',
    help: 'Whether an expected heartbeat stays away.',
    labelNames: ['heartbeat'],
    registers,
    collect() {
      this.reset()
      for (const { name, isMissing } of facts.expectedHeartbeats()) this.set({ heartbeat: name }, Number(isMissing))
    },
  })
  new Gauge({
    name: 'belltower_on_call_people',
    help: 'How many people are on call by a schedule. 0 = a gap.',
    labelNames: ['schedule'],
    registers,
    collect() {
      this.reset()
      for (const { name } of facts.roster.schedules())
        this.set({ schedule: name }, facts.roster.peopleOn(name, facts.nowMs()).length)
    },
  })
}
