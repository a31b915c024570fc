import type { Turns } from '../../lib/index.ts'
import type { Labels } from '../../model/index.ts'
import type { TargetGroup } from '../discovery/discovery.ts'
import type { TargetResult } from '../targets/target.ts'

interface BuiltGroup {
  readonly group: TargetGroup
  readonly results: readonly TargetResult[]
}

/** What listed label sets have become. Those that were listed before are not understood anew. */
export class BuiltTargets {
  readonly #build: (discovered: Labels) => TargetResult
  /** Of the last list. */
  #byGroup = new Map<TargetGroup, BuiltGroup>()
  #bySource = new Map<string, BuiltGroup>()

  constructor(build: (discovered: Labels) => TargetResult) {
    this.#build = build
  }

  /** The results of each group, in order; during a long list others get their turns. */
  async of(groups: readonly TargetGroup[], turns: Turns): Promise<(readonly TargetResult[])[]> {
    const byGroup = new Map<TargetGroup, BuiltGroup>()
    const bySource = new Map<string, BuiltGroup>()
    for (const group of groups) {
      const built = this.#byGroup.get(group) ?? { group, results: await this.#resultsOf(group, turns) }
      byGroup.set(group, built)
      bySource.set(group.source, built)
    }
    this.#byGroup = byGroup
    this.#bySource = bySource
    return groups.map((group) => byGroup.get(group)!.results)
  }

  async #resultsOf(group: TargetGroup, turns: Turns): Promise<TargetResult[]> {
    const before = this.#bySource.get(group.source)
    const shift = before ? firstDifference(group.targets, before.group.targets) : 0
    const lengthened = before ? group.targets.length - before.group.targets.length : 0
    const results: TargetResult[] = []
    for (const [i, discovered] of group.targets.entries()) {
      if (turns.isOver) await turns.next()
      // Behind what was put in or taken out the list goes on as before.
      const place = i < shift ? i : i - lengthened
      const isKnown = before !== undefined && place >= 0 && isSame(discovered, before.group.targets[place])
      results.push(isKnown ? before.results[place]! : this.#build(discovered))
    }
    return results
  }
}

function firstDifference(a: readonly Labels[], b: readonly Labels[]): number {
  let i = 0
  while (i < a.length && isSame(a[i]!, b[i])) i++
  return i
}

function isSame(a: Labels, b: Labels | undefined): boolean {
  if (a === b) return true
  if (b === undefined || a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
