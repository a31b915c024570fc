// Loads data for a component, again at each refresh, keeping what it has until the new answer is there.
import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError } from '../api/client.ts'
import { tick } from './time.ts'

export interface Live<T> {
  readonly data: T | undefined
  readonly error: string | undefined
  readonly loading: boolean
  readonly reload: () => void
}

/**
 * @param load called anew when `deps` change or a refresh is due; its signal is aborted when the answer is no longer wanted
 * @param active `false` = do not load now (off screen); what was missed is made up for
 */
export function useLive<T>(
  load: (signal: AbortSignal) => Promise<T>,
  deps: readonly unknown[],
  { active = true, live = true }: { active?: boolean; live?: boolean } = {},
): Live<T> {
  const [state, setState] = useState<{ data?: T; error?: string; loading: boolean }>({ loading: true })
  const [reloads, setReloads] = useState(0)
  const round = live ? tick.value : 0
  const runningRef = useRef<{ key: string; controller: AbortController } | undefined>(undefined)
  const key = JSON.stringify(deps)

  useEffect(() => {
    if (!active) return
    const running = runningRef.current
    // A slow answer to the same question is waited for; only a changed question makes it pointless.
    if (running !== undefined && running.key === key) return
    running?.controller.abort()
    const controller = new AbortController()
    runningRef.current = { key, controller }
    setState((was) => ({ ...was, loading: true }))
    const settle = (next: { data?: T; error?: string }) => {
      if (controller.signal.aborted) return
      runningRef.current = undefined
      setState((was) => (next.error === undefined ? { ...next, loading: false } : { ...was, ...next, loading: false }))
    }
    load(controller.signal).then(
      (data) => settle({ data }),
      (thrown: unknown) => settle({ error: describe(thrown) }),
    )
  }, [key, round, reloads, active])

  useEffect(() => () => runningRef.current?.controller.abort(), [])

  return {
    data: state.data,
    error: state.error,
    loading: state.loading,
    reload: () => setReloads((count) => count + 1),
  }
}

function describe(thrown: unknown): string {
  if (thrown instanceof ApiError) return thrown.message
  return thrown instanceof Error ? thrown.message : String(thrown)
}
