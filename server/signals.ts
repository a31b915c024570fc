import type { Logger } from '../lib/index.ts'

/** Resolves `signal` at SIGINT or SIGTERM, or when `now` is called. */
export function untilSignal(logger: Logger): { readonly signal: Promise<void>; readonly now: () => void } {
  let end = (): void => {}
  const signal = new Promise<void>((resolve) => {
    end = resolve
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.once(name, () => {
        logger.info({ signal: name }, 'told to stop')
        resolve()
      })
    }
  })
  return { signal, now: () => end() }
}
