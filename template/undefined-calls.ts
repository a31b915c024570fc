import { quoteGo } from '../model/go-quote.ts'
import type { ListNode, Node } from './ast.ts'
import type { ParsedTemplate } from './parser.ts'

/**
 * Calls of templates that nobody defines, in any branch of the template and of those it calls: `name:line:column: why`.
 * Running the template finds only those that the data leads to.
 */
export function undefinedCalls(templates: ReadonlyMap<string, ParsedTemplate>, name: string): string[] {
  const faults: string[] = []
  const visited = new Set<string>()
  const visit = (current: ParsedTemplate): void => {
    visited.add(current.name)
    for (const node of callsIn(current.root)) {
      const called = templates.get(node.name)
      if (!called) faults.push(`${placeOf(current, node.pos)}: template ${quoteGo(node.name)} not defined`)
      else if (!visited.has(node.name)) visit(called)
    }
  }
  const root = templates.get(name)
  if (root) visit(root)
  return faults
}

function* callsIn(list: ListNode): Iterable<Extract<Node, { kind: 'template' }>> {
  for (const node of list.nodes) {
    if (node.kind === 'template') yield node
    else if (node.kind === 'if' || node.kind === 'with' || node.kind === 'range') {
      yield* callsIn(node.list)
      if (node.elseList) yield* callsIn(node.elseList)
    }
  }
}

function placeOf({ source }: ParsedTemplate, pos: number): string {
  const before = source.text.slice(0, pos)
  const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1))
  return `${source.name}:${before.split('\n').length}:${column}`
}
