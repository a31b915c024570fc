import { type Labels, labelsFromRecord } from '../../model/index.ts'
import { AppError, Turns } from '../../lib/index.ts'

/** Targets that one source lists together. */
export interface TargetGroup {
  /** Tells groups of one discovery apart. */
  readonly source: string
  /** One label set a target, `__address__` and the group's labels included. */
  readonly targets: readonly Labels[]
}

/** Finds targets and says when they change. */
export interface Discovery {
  /** Starts; each call of `onUpdate` carries all groups as they are now. */
  run(onUpdate: (groups: readonly TargetGroup[]) => void): void
  stop(): Promise<void>
}

/** What a file or an HTTP service listed is not a list of target groups. */
export class TargetListError extends AppError {
  override readonly code = 'ERR_TARGET_LIST'
}

/**
 * Checks a parsed list `[{targets: [...], labels: {...}}]`; during a long one others get their turns.
 *
 * @param common labels that every target gets besides
 * @throws {TargetListError}
 */
export async function parseTargetList(
  list: unknown,
  source: (index: number) => string,
  common: Readonly<Record<string, string>>,
): Promise<TargetGroup[]> {
  if (!Array.isArray(list)) throw new TargetListError('expected a list of target groups')
  const turns = new Turns()
  const groups: TargetGroup[] = []
  for (const [i, entry] of list.entries()) {
    if (turns.isOver) await turns.next()
    const { targets, labels } = checkEntry(entry, i)
    groups.push(targetGroup(source(i), targets, { ...labels, ...common }))
  }
  return groups
}

function checkEntry(entry: unknown, index: number): { targets: string[]; labels: Record<string, string> } {
  const fail = (why: string): never => {
    throw new TargetListError(`target group ${index + 1}: ${why}`)
  }
  if (!isRecord(entry)) return fail('expected an object with targets and labels')
  const unknown = Object.keys(entry).find((key) => key !== 'targets' && key !== 'labels')
  if (unknown !== undefined) return fail(`unknown key ${JSON.stringify(unknown)}`)
  const targets = entry['targets'] ?? []
  const labels = entry['labels'] ?? {}
  if (!Array.isArray(targets) || !targets.every((target) => typeof target === 'string'))
    return fail('targets must be a list of strings')
  if (!isRecord(labels)) return fail('labels must be an object')
  const texts = Object.entries(labels).map(([name, value]): [string, string] => {
    if (name === '') return fail('empty label name')
    if (typeof value !== 'string' && value !== null) return fail(`label ${JSON.stringify(name)} must be a string`)
    return [name, value ?? '']
  })
  return { targets: targets as string[], labels: Object.fromEntries(texts) }
}

export const targetGroup = (
  source: string,
  addresses: readonly string[],
  labels: Readonly<Record<string, string>>,
): TargetGroup => ({
  source,
  targets: addresses.map((address) => labelsFromRecord({ ...labels, __address__: address })),
})

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
