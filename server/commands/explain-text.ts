/** A part of a plan as the API answers it. */
export interface ExplainedNode {
  readonly kind: string
  readonly name: string
  readonly text: string
  readonly expected: { readonly series: number; readonly samples: number }
  readonly measured?: { readonly series: number; readonly samples: number; readonly seconds: number }
  readonly children: readonly ExplainedNode[]
}

const TEXT_MAX = 60

/** A table, one line for each part, parts of parts indented. */
export function explainLines(plan: ExplainedNode): string[] {
  const isMeasured = plan.measured !== undefined
  const header = ['', 'series expected', 'samples expected', ...(isMeasured ? ['series', 'samples', 'ms'] : [])]
  const rows = [header, ...rowsOf(plan, 0)]
  const widths = header.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  )
}

function rowsOf({ name, kind, text, expected, measured, children }: ExplainedNode, depth: number): string[][] {
  const short = text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX - 3)}...` : text
  const title = `${'  '.repeat(depth)}${name === '' ? kind : name}  ${short}`
  const numbers = [expected.series, expected.samples]
  const facts = measured && [measured.series, measured.samples, (measured.seconds * 1000).toFixed(2)]
  return [
    [title, ...[...numbers, ...(facts ?? [])].map(String)],
    ...children.flatMap((child) => rowsOf(child, depth + 1)),
  ]
}
