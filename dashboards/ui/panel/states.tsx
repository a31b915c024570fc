// What a panel says while it has nothing to draw.
import type { JSX } from 'preact'
import { Icon } from '../shell/icons.tsx'
import { dataStartMs, shownRange } from '../state/time.ts'

const YOUNG_MS = 90_000

interface Props {
  error?: string | undefined
  loading: boolean
}

export function EmptyState({ error, loading }: Props): JSX.Element {
  if (error !== undefined) {
    return (
      <p class="state state-error" role="alert">
        <Icon name="warning" /> {error}
      </p>
    )
  }
  if (loading) return <p class="state state-loading">Loading…</p>
  const startMs = dataStartMs.value
  const young = startMs !== undefined && shownRange.value.toMs - startMs < YOUNG_MS
  return young ? (
    <p class="state state-waiting">
      <span class="pulse" aria-hidden="true" /> Collecting first samples…
    </p>
  ) : (
    <p class="state">No data in this range</p>
  )
}

/** A refresh failed while older data are shown. */
export function StaleNote({ error }: { error: string | undefined }): JSX.Element | null {
  return error === undefined ? null : (
    <p class="stale-note" role="status" title={error}>
      <Icon name="warning" /> not updated: {error}
    </p>
  )
}
