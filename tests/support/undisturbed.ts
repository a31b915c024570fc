/** For tests in real time, on machines that have other work as well. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

const ATTEMPTS_MAX = 5

/**
 * Attempts what holds only where this process gets its turns: again, a few times, after an attempt that failed and in which
 * it once got none for `heldUpMs`. `cleanUp` runs behind each attempt.
 * @throws what an attempt threw that was not held up, or the last one
 */
export async function undisturbed(
  heldUpMs: number,
  attempt: () => Promise<void>,
  cleanUp: () => Promise<void>,
): Promise<void> {
  for (let attempts = 1; ; attempts++) {
    const lag = monitorEventLoopDelay({ resolution: 10 })
    lag.enable()
    try {
      return await attempt()
    } catch (error) {
      const lagMs = Math.round(lag.max / 1e6)
      if (lagMs < heldUpMs || attempts === ATTEMPTS_MAX) throw error
      console.log(`attempt ${attempts} was held up for ${lagMs} ms: once more`)
    } finally {
      lag.disable()
      await cleanUp()
    }
  }
}
