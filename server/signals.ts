import type { Logger } from '../lib/index.ts'

/** Resolves `signal` at SIGINT or SIGTERM, or when `now` is called; work that can be broken off looks at `told`. */
export function untilSignal(logger: Logger): {
  readonly signal: Promise<void>
  readonly now: () => void
  readonly told: AbortSignal
} {
  const controller = new AbortController()
  let end = (): void => {}
  const signal = new Promise<void>((resolve) => {
    end = () => {
      controller.abort()
      resolve()
    }
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.once(name, () => {
        logger.info({ signal: name }, 'told to stop')
        end()
      })
    }
  })
  return { signal, now: () => end(), told: controller.signal }
}
