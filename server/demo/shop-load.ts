import type { Clock } from '../../lib/index.ts'

const INTERVAL_MS = 100
const IN_FLIGHT_MAX = 16
const TIMEOUT_MS = 5000

// One round of customers: more look than buy.
const VISITS: readonly (readonly [method: string, path: string])[] = [
  ['GET', '/products'],
  ['GET', '/products'],
  ['GET', '/cart'],
  ['POST', '/checkout'],
]

/** Visits the shop ten times a second, never with more than 16 requests open. @returns a function that ends it */
export function startShopLoad(url: string, clock: Clock): () => void {
  let visits = 0
  let inFlight = 0
  let cancel: () => void = () => undefined
  const visit = async (): Promise<void> => {
    const [method, path] = VISITS[visits++ % VISITS.length]!
    inFlight++
    try {
      const answer = await fetch(url + path, { method, signal: AbortSignal.timeout(TIMEOUT_MS) })
      await answer.arrayBuffer()
    } catch {
      // A customer who gets no answer goes away; the shop's own metrics tell of it.
    } finally {
      inFlight--
    }
  }
  const next = (): void => {
    if (inFlight < IN_FLIGHT_MAX) void visit()
    cancel = clock.schedule(INTERVAL_MS, next)
  }
  next()
  return () => cancel()
}
