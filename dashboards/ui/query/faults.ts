// What the server's own parser says against an expression: what is marked here is what running it would answer.
import type { Diagnostic } from '@codemirror/lint'
import { ApiError } from '../api/client.ts'
import { faultOf } from '../../model/query-fault.ts'
import { parseQuery } from '../api/prometheus.ts'

/** Nothing where the expression is right, empty, or nobody could be asked. */
export async function findFaults(text: string): Promise<Diagnostic[]> {
  if (text.trim() === '') return []
  try {
    await parseQuery(text)
    return []
  } catch (thrown) {
    if (!(thrown instanceof ApiError) || thrown.status !== 400) return []
    const { from, to, why } = faultOf(text, thrown.message) ?? { from: 0, to: text.length, why: thrown.message }
    return [{ from, to, severity: 'error', message: why }]
  }
}
