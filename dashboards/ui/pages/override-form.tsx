// Somebody else is on call for a while.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { tryParseDuration } from '../../model/interval.ts'
import { parseInstant } from '../../model/time-range.ts'
import { addOverride } from '../api/on-call.ts'
import {
  Choices,
  FormButtons,
  messageOf,
  NameField,
  rememberedName,
  rememberName,
  TextField,
} from '../shell/form-fields.tsx'
import { formatInstant } from '../shell/format.ts'
import { timeZone } from '../state/time.ts'

const DURATIONS = ['1h', '4h', '12h', '1d', '1w'] as const

interface Props {
  schedule: string
  /** Who is known from the schedule; others of the configuration may be written too. */
  names: readonly string[]
  onDone: () => void
  onCancel: () => void
}

export function OverrideForm({ schedule, names, onDone, onCancel }: Props): JSX.Element {
  const [who, setWho] = useState('')
  const [from, setFrom] = useState('now')
  const [duration, setDuration] = useState<string>('12h')
  const [by, setBy] = useState(rememberedName())
  const [comment, setComment] = useState('')
  const [failure, setFailure] = useState<string | undefined>(undefined)
  const people = who
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  const fromMs = parseInstant(from, Date.now(), 'from', timeZone.value)
  const durationMs = tryParseDuration(duration)
  const toMs = fromMs === undefined || !durationMs ? undefined : fromMs + durationMs
  const ready = people.length > 0 && toMs !== undefined && by.trim() !== ''
  const save = (event: Event) => {
    event.preventDefault()
    if (!ready) return
    rememberName(by)
    addOverride({
      schedule,
      people,
      from: new Date(fromMs!).toISOString(),
      to: new Date(toMs).toISOString(),
      comment: comment.trim(),
      createdBy: by.trim(),
    }).then(onDone, (thrown: unknown) => setFailure(messageOf(thrown)))
  }
  return (
    <form class="card inline-form" aria-label={`Override of ${schedule}`} onSubmit={save}>
      <div class="inline-fields">
        <TextField label="Who" value={who} placeholder="names, separated by commas" wide onInput={setWho} />
        <Choices choices={names} value={who} label="People of the schedule" onChoose={setWho} />
      </div>
      <div class="inline-fields">
        <TextField label="From" value={from} wrong={fromMs === undefined} onInput={setFrom} />
        <TextField label="For" value={duration} wrong={!durationMs} onInput={setDuration} />
        <Choices choices={DURATIONS} value={duration} label="For" onChoose={setDuration} />
      </div>
      <div class="inline-fields">
        <NameField value={by} onInput={setBy} />
        <TextField label="Note" value={comment} placeholder="Swapped with Boris" wide onInput={setComment} />
      </div>
      <div class="form-row form-end">
        <span class="dim">
          {toMs === undefined
            ? 'Write now or a date and time such as 2030-05-01 18:00, and a duration such as 12h.'
            : `${formatInstant(fromMs!, timeZone.value)} to ${formatInstant(toMs, timeZone.value)}`}
        </span>
        <FormButtons save="Put on call" ready={ready} onCancel={onCancel} />
      </div>
      {failure !== undefined && (
        <p class="row-error" role="alert">
          {failure}
        </p>
      )}
    </form>
  )
}
