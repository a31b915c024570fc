// What an alerting rule would have done over a stretch of the past, from its expression's values at regular instants.
import type { LabelSet, MatrixSeries } from './frame.ts'

export interface Firing {
  readonly labels: LabelSet
  /** When the expression became true. */
  readonly pendingFromMs: number
  readonly firingFromMs: number
  readonly endMs: number
  /** It still fires at the end of the stretch. */
  readonly ongoing: boolean
}

export interface BackTest {
  /** Oldest first. */
  readonly firings: readonly Firing[]
  /** Stretches in which the expression was true, but not for long enough. */
  readonly tooShortCount: number
  readonly firingMs: number
}

interface Question {
  readonly endMs: number
  readonly stepMs: number
  readonly forMs: number
  readonly keepFiringForMs: number
}

/**
 * @param series the expression's own answer, a value where it is true; instants a step apart
 */
export function backTest(series: readonly MatrixSeries[], question: Question): BackTest {
  const firings: Firing[] = []
  let tooShortCount = 0
  for (const one of series) {
    const { __name__: _, ...labels } = one.metric
    for (const run of runsOf(timesOf(one), question)) {
      const ongoing = run.endMs >= question.endMs
      const firingFromMs = run.fromMs + question.forMs
      if (run.lastMs < firingFromMs) tooShortCount++
      else firings.push({ labels, pendingFromMs: run.fromMs, firingFromMs, endMs: run.endMs, ongoing })
    }
  }
  firings.sort((a, b) => a.firingFromMs - b.firingFromMs)
  return { firings, tooShortCount, firingMs: firings.reduce((sum, one) => sum + one.endMs - one.firingFromMs, 0) }
}

interface Run {
  readonly fromMs: number
  /** The last instant at which it was true. */
  lastMs: number
  /** The first instant at which it no longer fires, at most the end of the stretch. */
  endMs: number
}

/** A gap ends a run, unless it has fired and is kept firing that long. */
function runsOf(times: readonly number[], { endMs, stepMs, forMs, keepFiringForMs }: Question): Run[] {
  const runs: Run[] = []
  for (const atMs of times) {
    const last = runs.at(-1)
    const hasFired = last !== undefined && last.lastMs - last.fromMs >= forMs
    const reachMs = stepMs * 1.5 + (hasFired ? keepFiringForMs : 0)
    if (last !== undefined && atMs - last.lastMs <= reachMs) last.lastMs = atMs
    else runs.push({ fromMs: atMs, lastMs: atMs, endMs: atMs })
  }
  for (const run of runs) run.endMs = Math.min(endMs, run.lastMs + stepMs + keepFiringForMs)
  return runs
}

function timesOf({ values = [] }: MatrixSeries): number[] {
  return values.map(([atSeconds]) => atSeconds * 1000)
}
