import { Agent, request } from 'node:http'
import type { RunningSystem } from './systems.ts'

/** A query as it is sent; times in seconds. With `nocache` 1 nothing that is kept of earlier answers may be used. */
export type Question =
  | { readonly query: string; readonly time: number }
  | {
      readonly query: string
      readonly start: number
      readonly end: number
      readonly step: number
      readonly nocache: 0 | 1
    }

interface Answered {
  /** From the first byte sent to the last one received. */
  readonly ms: number
  readonly body: Buffer
}

// One connection a system, kept open, and answers not packed: a client's own work is the same for all and next to nothing.
const agent = new Agent({ keepAlive: true, maxSockets: 1 })

/** @throws {Error} when the answer is not 200 */
export function ask(system: RunningSystem, question: Question): Promise<Answered> {
  const path = 'time' in question ? 'query' : 'query_range'
  const parameters = new URLSearchParams(
    Object.entries(question).map(([name, value]): [string, string] => [name, String(value)]),
  )
  return new Promise((resolve, reject) => {
    const startMs = performance.now()
    const asked = request(`${system.url}/api/v1/${path}?${parameters}`, { agent }, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => parts.push(part))
      answer.on('error', reject)
      answer.on('end', () => {
        const ms = performance.now() - startMs
        const body = Buffer.concat(parts)
        if (answer.statusCode === 200) resolve({ ms, body })
        else {
          const text = body.toString('utf8', 0, 200)
          reject(new Error(`${system.name} answered ${answer.statusCode} to ${question.query}: ${text}`))
        }
      })
    })
    asked.on('error', reject)
    asked.end()
  })
}

type Point = readonly [seconds: number, value: string]

interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly value?: Point
  readonly values?: readonly Point[]
}

/** Points by series, series named by their sorted labels. */
export function pointsOf(body: Buffer): Map<string, readonly Point[]> {
  const { data } = JSON.parse(body.toString()) as { data: { result: readonly Series[] } }
  return new Map(
    data.result.map(({ metric, value, values }) => [
      JSON.stringify(Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1))),
      values ?? [value!],
    ]),
  )
}

const TOLERANCE = 1e-9

/** The first difference between two answers, in words; `undefined` when there is none beyond rounding. */
export function differenceOf(ours: Buffer, theirs: Buffer): string | undefined {
  const [a, b] = [pointsOf(ours), pointsOf(theirs)]
  if (a.size !== b.size) return `${a.size} and ${b.size} series`
  for (const [series, points] of a) {
    const others = b.get(series)
    if (others === undefined) return `only one has ${series}`
    if (others.length !== points.length) return `${points.length} and ${others.length} points of ${series}`
    for (const [i, [seconds, value]] of points.entries()) {
      const [otherSeconds, otherValue] = others[i]!
      if (seconds === otherSeconds && areClose(Number(value), Number(otherValue))) continue
      return `${value} at ${seconds} and ${otherValue} at ${otherSeconds} of ${series}`
    }
  }
  return undefined
}

/** As `differenceOf`, whatever series the values of a time belong to. */
export function differenceOfValues(ours: Buffer, theirs: Buffer): string | undefined {
  const [a, b] = [valuesByTime(ours), valuesByTime(theirs)]
  if (a.size !== b.size) return `${a.size} and ${b.size} times`
  for (const [seconds, values] of a) {
    const others = b.get(seconds) ?? []
    const isSame = values.length === others.length && values.every((value, i) => areClose(value, others[i]!))
    if (!isSame) return `${values.join(' ')} and ${others.join(' ')} at ${seconds}`
  }
  return undefined
}

/** Ascending. */
function valuesByTime(body: Buffer): Map<number, number[]> {
  const found = new Map<number, number[]>()
  for (const points of pointsOf(body).values()) {
    for (const [seconds, value] of points) found.set(seconds, [...(found.get(seconds) ?? []), Number(value)])
  }
  for (const values of found.values()) values.sort((a, b) => a - b)
  return found
}

const areClose = (a: number, b: number): boolean =>
  Object.is(a, b) || a === b || Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b))

export const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)

/** The value below which `share` of the values lie. */
export function quantileOf(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}
