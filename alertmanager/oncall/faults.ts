import type { AlertmanagerConfig, ReceiverConfig } from '../config/types.ts'
import { httpConfigFaults } from '../config/http-config.ts'
import { contactKindOf } from './contacts.ts'
import type { OnCallYaml } from './schema.ts'

type Path = readonly (string | number)[]
type Fault = (path: Path, why: string) => void

/** What the shape cannot express: names that nobody has, people who cannot be reached, times that never are. */
export function onCallFaults(yaml: OnCallYaml, config: AlertmanagerConfig): [Path, string][] {
  const found: [Path, string][] = []
  const fault: Fault = (path, why) => found.push([path, why])
  const receivers = new Map(config.receivers.map((receiver) => [receiver.name, receiver]))
  unique(yaml.people, 'people', fault)
  unique(yaml.schedules, 'schedules', fault)
  unique(yaml.heartbeats, 'heartbeats', fault)
  unique(yaml.expected_heartbeats, 'expected_heartbeats', fault)
  scheduleFaults(yaml, fault)
  policyFaults(yaml, receivers, fault)
  yaml.heartbeats?.forEach((heartbeat, i) => {
    exactlyOne(heartbeat, 'url', ['heartbeats', i], fault)
    if (heartbeat.body && (heartbeat.method ?? 'GET') === 'GET')
      fault(['heartbeats', i, 'body'], 'GET sends none: method has to be POST or PUT')
    for (const [inner, why] of heartbeat.http_config ? httpConfigFaults(heartbeat.http_config) : [])
      fault(['heartbeats', i, 'http_config', ...inner], why)
  })
  yaml.expected_heartbeats?.forEach(({ token, token_file, matchers }, i) => {
    const path = ['expected_heartbeats', i]
    if (token !== undefined && token_file !== undefined)
      fault([...path, 'token_file'], 'only one of token & token_file')
    if (matchers?.length && (token ?? token_file) !== undefined)
      fault([...path, 'matchers'], 'an alert gives it, so that a token has no meaning')
  })
  return found
}

function unique(items: readonly { name: string }[] | undefined, key: string, fault: Fault): void {
  items?.forEach(({ name }, i) => {
    if (items.findIndex((other) => other.name === name) < i) fault([key, i, 'name'], `"${name}" is not unique`)
  })
}

function exactlyOne(entry: { url?: unknown; url_file?: unknown }, key: string, path: Path, fault: Fault): void {
  const count = Number(Boolean(entry.url)) + Number(Boolean(entry.url_file))
  if (count !== 1) fault([...path, key], 'exactly one of url & url_file is needed')
}

function scheduleFaults(yaml: OnCallYaml, fault: Fault): void {
  const people = new Set((yaml.people ?? []).map(({ name }) => name))
  const known = (names: readonly string[], path: Path): void => {
    for (const name of names) if (!people.has(name)) fault(path, `nobody under people is called "${name}"`)
  }
  yaml.schedules?.forEach(({ layers, overrides }, i) => {
    layers.forEach((layer, j) => {
      const path = ['schedules', i, 'layers', j]
      layer.people.forEach((turn, k) => known([turn].flat(), [...path, 'people', k]))
      if (layer.end !== undefined && layer.end <= layer.start + (layer.hand_over ?? 0))
        fault([...path, 'end'], layer.hand_over ? 'is not after the first hand-over' : 'is not after the start')
      if (layer.hand_over !== undefined && layer.start % DAY_MS !== 0)
        fault([...path, 'hand_over'], 'the start has a time of the day already')
    })
    overrides?.forEach((override, j) => {
      known(override.people, ['schedules', i, 'overrides', j, 'people'])
      if (override.end <= override.start) fault(['schedules', i, 'overrides', j, 'end'], 'is not after the start')
    })
  })
}

const DAY_MS = 86_400_000

function policyFaults(yaml: OnCallYaml, receivers: ReadonlyMap<string, ReceiverConfig>, fault: Fault): void {
  const people = new Map((yaml.people ?? []).map((person) => [person.name, person]))
  const schedules = new Map((yaml.schedules ?? []).map((schedule) => [schedule.name, schedule]))
  const check = (target: Target, path: Path): void => {
    const receiver = receivers.get(target.receiver)
    if (!receiver) fault([...path, 'receiver'], `the Alertmanager's configuration has no receiver "${target.receiver}"`)
    const schedule = target.schedule === undefined ? undefined : schedules.get(target.schedule)
    if (target.schedule !== undefined && !schedule)
      fault([...path, 'schedule'], `there is no schedule "${target.schedule}"`)
    const meant = [...(schedule ? membersOf(schedule) : []), ...(target.people ?? [])]
    for (const name of target.people ?? []) {
      if (!people.has(name)) fault([...path, 'people'], `nobody under people is called "${name}"`)
    }
    if (!receiver || meant.length === 0) return
    const kinds = new Set(receiver.integrations.flatMap(({ kind }) => contactKindOf(kind) ?? []))
    const key = schedule ? 'schedule' : 'people'
    if (kinds.size === 0)
      return fault([...path, key], `receiver "${target.receiver}" has no e-mail, SMS or other message to a person`)
    for (const name of new Set(meant)) {
      const person = people.get(name)
      if (person && ![...kinds].some((kind) => person[kind] !== undefined))
        fault([...path, key], `"${name}" has none of: ${[...kinds].join(', ')}`)
    }
  }
  yaml.receivers?.forEach((policy, i) => {
    const path = ['receivers', i]
    if (yaml.receivers!.findIndex(({ receiver }) => receiver === policy.receiver) < i)
      fault([...path, 'receiver'], `"${policy.receiver}" has an entry already`)
    check(policy, path)
    policy.escalation?.steps.forEach((step, j) => {
      const at = [...path, 'escalation', 'steps', j]
      if (step.schedule !== undefined && step.people !== undefined)
        fault([...at, 'people'], 'only one of schedule & people')
      check(step, at)
    })
  })
}

interface Target {
  readonly receiver: string
  readonly schedule?: string | undefined
  readonly people?: readonly string[] | undefined
}

const membersOf = ({ layers, overrides = [] }: NonNullable<OnCallYaml['schedules']>[number]): string[] => [
  ...layers.flatMap((layer) => layer.people.flat()),
  ...overrides.flatMap(({ people }) => people),
]
