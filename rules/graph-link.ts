import { queryEscape } from '../template/index.ts'

/** The query page with this expression as a table. */
export const tableUrl = (externalUrl: string, expr: string): string =>
  `${externalUrl}/graph?g0.expr=${queryEscape(expr)}&g0.tab=1`
