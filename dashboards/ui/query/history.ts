// Expressions that were run in this browser, the newest first.
import { readStorage, writeStorage } from '../state/storage.ts'

const KEY = 'belltower.queries'
const ENTRIES_MAX = 50

export function queryHistory(): string[] {
  try {
    const stored: unknown = JSON.parse(readStorage(KEY) ?? '[]')
    return Array.isArray(stored) ? stored.filter((entry): entry is string => typeof entry === 'string') : []
  } catch {
    return []
  }
}

export function rememberQuery(expr: string): void {
  if (expr.trim() === '') return
  const others = queryHistory().filter((entry) => entry !== expr)
  writeStorage(KEY, JSON.stringify([expr, ...others].slice(0, ENTRIES_MAX)))
}
