import { randomUUID } from 'node:crypto'
import type { Clock } from '../../lib/index.ts'
import type { StateLog } from '../store/state-log.ts'
import { OnCallRequestError } from './errors.ts'
import type { Override, Overrides } from './overrides.ts'
import { onCallAt, type Shift, shiftsOf } from './schedule.ts'
import type { OnCallConfig, OverrideFacts, Person, Schedule } from './types.ts'

/** A schedule at an instant. */
export interface OnCallView {
  readonly schedule: string
  readonly timeZone: string
  readonly people: readonly Person[]
  /** The layer, or `override`; '' = nobody is on call. */
  readonly source: string
  /** When it changes next; `undefined` = not within a month. */
  readonly untilMs: number | undefined
  /** Who has it then; empty = nobody. */
  readonly next: readonly string[]
}

const DAY_MS = 86_400_000
const LOOK_AHEAD_MS = 31 * DAY_MS
const RANGE_MAX_MS = 370 * DAY_MS

/** Who is on call, now and over time. */
export class Roster {
  readonly #config: () => OnCallConfig | undefined
  readonly #overrides: Overrides
  readonly #log: () => StateLog
  readonly #clock: Clock

  constructor(options: {
    config: () => OnCallConfig | undefined
    overrides: Overrides
    log: () => StateLog
    clock: Clock
  }) {
    this.#config = options.config
    this.#overrides = options.overrides
    this.#log = options.log
    this.#clock = options.clock
  }

  schedules(): Schedule[] {
    return [...(this.#config()?.schedules.values() ?? [])]
  }

  /** Everybody on call by a schedule; empty when nobody is, or when there is no such schedule. */
  peopleOn(schedule: string, atMs: number): Person[] {
    const known = this.#config()?.schedules.get(schedule)
    return known ? this.people(onCallAt(known, this.#overridesOf(known), atMs).people) : []
  }

  /** By name; who has left is left out. */
  people(names: readonly string[]): Person[] {
    return names.flatMap((name) => this.#config()?.people.get(name) ?? [])
  }

  /** Whose number it is, however it is written. */
  personOf(phone: string): Person | undefined {
    const digits = phone.replace(/\D/g, '')
    if (digits === '') return undefined
    return [...(this.#config()?.people.values() ?? [])].find((one) => one.contacts.phone?.replace(/\D/g, '') === digits)
  }

  /** @throws {OnCallRequestError} */
  view(name: string, atMs: number): OnCallView {
    const schedule = this.#schedule(name)
    const shifts = shiftsOf(schedule, this.#overridesOf(schedule), atMs, atMs + LOOK_AHEAD_MS)
    const [now, next] = shifts
    return {
      schedule: name,
      timeZone: schedule.timeZone,
      people: this.people(now!.people),
      source: now!.source,
      untilMs: next?.fromMs,
      next: next?.people ?? [],
    }
  }

  /** @throws {OnCallRequestError} */
  shifts(name: string, fromMs: number, toMs: number): Shift[] {
    if (toMs <= fromMs) throw new OnCallRequestError('the end is not after the start')
    if (toMs - fromMs > RANGE_MAX_MS) throw new OnCallRequestError('the range is longer than a year')
    const schedule = this.#schedule(name)
    return shiftsOf(schedule, this.#overridesOf(schedule), fromMs, toMs)
  }

  overrides(): Override[] {
    return this.#overrides.all()
  }

  /** Durable when it resolves. @throws {OnCallRequestError} @throws {StateLogError} */
  async addOverride(facts: OverrideFacts & { schedule: string; createdBy: string }): Promise<Override> {
    this.#schedule(facts.schedule)
    for (const name of facts.people)
      if (!this.#config()?.people.has(name)) throw new OnCallRequestError(`nobody is called "${name}"`)
    if (facts.toMs <= facts.fromMs) throw new OnCallRequestError('the end is not after the start')
    const override = { id: randomUUID(), createdAtMs: this.#clock.nowMs(), isRemoved: false, ...facts }
    this.#overrides.put(override, this.#log())
    await this.#log().commit()
    return override
  }

  /** @throws {OnCallRequestError} @throws {StateLogError} */
  async removeOverride(id: string): Promise<void> {
    if (!this.#overrides.remove(id, this.#log())) throw new OnCallRequestError(`there is no override ${id}`, 404)
    await this.#log().commit()
  }

  #schedule(name: string): Schedule {
    const schedule = this.#config()?.schedules.get(name)
    if (!schedule) throw new OnCallRequestError(`there is no schedule "${name}"`, 404)
    return schedule
  }

  #overridesOf({ name, overrides }: Schedule): OverrideFacts[] {
    return [...overrides, ...this.#overrides.all().filter(({ schedule }) => schedule === name)]
  }
}
