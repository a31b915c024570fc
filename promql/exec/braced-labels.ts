import { isLegacyLabelName, type Labels, quoteGo } from '../../model/index.ts'

/** `{__name__="up", job="a"}`: Prometheus' form in errors, with the name inside of the braces. */
export function bracedLabelsText(labels: Labels): string {
  const parts: string[] = []
  for (let i = 0; i < labels.length; i += 2) {
    const name = labels[i]!
    parts.push(`${isLegacyLabelName(name) ? name : quoteGo(name)}=${quoteGo(labels[i + 1]!)}`)
  }
  return `{${parts.join(', ')}}`
}
