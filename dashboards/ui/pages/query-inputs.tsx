// Range, end, resolution and instant of a query.
import type { JSX } from 'preact'
import { formatDuration } from '../../../model/duration.ts'
import type { QueryPanel } from '../../model/graph-url.ts'
import { tryParseDuration } from '../../model/interval.ts'
import { parseInstant } from '../../model/time-range.ts'
import { writeInstant } from '../shell/format.ts'
import { timeZone } from '../state/time.ts'

interface InputProps {
  panel: QueryPanel
  onChange: (panel: QueryPanel) => void
}

const RANGES_MS = ['1m', '5m', '15m', '30m', '1h', '2h', '6h', '12h', '1d', '2d', '1w', '2w', '4w'].map(
  (text) => tryParseDuration(text)!,
)

export function GraphInputs({ panel, onChange }: InputProps): JSX.Element {
  const setRangeMs = (rangeMs: number | undefined) =>
    rangeMs !== undefined && rangeMs > 0 && onChange({ ...panel, rangeMs })
  const moveEnd = (share: number) =>
    onChange({ ...panel, endMs: Math.round((panel.endMs ?? Date.now()) + share * panel.rangeMs) })
  return (
    <>
      <span class="control-group">
        <button
          type="button"
          class="control"
          aria-label="Shorter range"
          onClick={() => setRangeMs([...RANGES_MS].reverse().find((rangeMs) => rangeMs < panel.rangeMs))}
        >
          −
        </button>
        <TextInput
          label="Range"
          value={formatDuration(panel.rangeMs)}
          width="5.5em"
          onCommit={(text) => setRangeMs(tryParseDuration(text))}
        />
        <button
          type="button"
          class="control"
          aria-label="Longer range"
          onClick={() => setRangeMs(RANGES_MS.find((rangeMs) => rangeMs > panel.rangeMs))}
        >
          +
        </button>
      </span>
      <span class="control-group">
        <button type="button" class="control" aria-label="Earlier" onClick={() => moveEnd(-0.5)}>
          ‹
        </button>
        <InstantInput
          label="End"
          placeholder="until now"
          value={panel.endMs}
          onCommit={(endMs) => onChange(withOptional(panel, 'endMs', endMs))}
        />
        <button type="button" class="control" aria-label="Later" onClick={() => moveEnd(0.5)}>
          ›
        </button>
      </span>
      <TextInput
        label="Resolution"
        value={panel.stepMs === undefined ? '' : formatDuration(panel.stepMs)}
        placeholder="resolution"
        width="6.5em"
        onCommit={(text) => onChange(withOptional(panel, 'stepMs', tryParseDuration(text) || undefined))}
      />
      <label class="check">
        <input
          type="checkbox"
          checked={panel.stacked}
          onChange={(event) => onChange({ ...panel, stacked: event.currentTarget.checked })}
        />
        Stacked
      </label>
    </>
  )
}

export function MomentInput({ panel, onChange }: InputProps): JSX.Element {
  return (
    <InstantInput
      label="Evaluation time"
      placeholder="now"
      value={panel.momentMs}
      onCommit={(momentMs) => onChange(withOptional(panel, 'momentMs', momentMs))}
    />
  )
}

function withOptional(panel: QueryPanel, name: 'endMs' | 'momentMs' | 'stepMs', value: number | undefined): QueryPanel {
  const { [name]: _, ...rest } = panel
  return value === undefined ? rest : { ...rest, [name]: value }
}

interface TextInputProps {
  label: string
  value: string
  placeholder?: string
  width: string
  onCommit: (text: string) => void
}

/** Takes effect on Enter or when left, not with every letter. */
function TextInput({ label, value, placeholder = '', width, onCommit }: TextInputProps): JSX.Element {
  const commit = (event: Event) => {
    const { value: text } = event.currentTarget as HTMLInputElement
    if (text !== value) onCommit(text)
  }
  return (
    <input
      class="plain-input"
      aria-label={label}
      title={label}
      placeholder={placeholder}
      value={value}
      style={{ width }}
      onBlur={commit}
      onKeyDown={(event) => event.key === 'Enter' && commit(event)}
    />
  )
}

function InstantInput({
  label,
  placeholder,
  value,
  onCommit,
}: {
  label: string
  placeholder: string
  value: number | undefined
  onCommit: (atMs: number | undefined) => void
}): JSX.Element {
  const text = value === undefined ? '' : writeInstant(value, timeZone.value)
  return (
    <TextInput
      label={label}
      placeholder={placeholder}
      value={text}
      width="11.5em"
      onCommit={(typed) =>
        onCommit(typed.trim() === '' ? undefined : parseInstant(typed, Date.now(), 'to', timeZone.peek()))
      }
    />
  )
}
