import type { RunningSystem } from './systems.ts'

/** How late the event loop was since this was asked for last, p99 in milliseconds; `undefined` for systems without one. */
export async function lagP99Ms(system: RunningSystem): Promise<number | undefined> {
  const page = await (await fetch(`${system.url}/metrics`)).text()
  const seconds = /^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(page)?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1000
}
