// Taking an alert on: its groups are not repeated meanwhile.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { acknowledge } from '../api/alerting.ts'
import {
  Choices,
  FormButtons,
  messageOf,
  NameField,
  rememberedName,
  rememberName,
  TextField,
} from '../shell/form-fields.tsx'

const DURATIONS = ['1h', '4h', '12h', '1d'] as const

interface Props {
  groups: readonly string[]
  onDone: () => void
  onCancel: () => void
}

export function AcknowledgeForm({ groups, onDone, onCancel }: Props): JSX.Element {
  const [by, setBy] = useState(rememberedName())
  const [comment, setComment] = useState('')
  const [duration, setDuration] = useState<string>('4h')
  const [failure, setFailure] = useState<string | undefined>(undefined)
  const ready = by.trim() !== '' && groups.length > 0
  const save = (event: Event) => {
    event.preventDefault()
    if (!ready) return
    rememberName(by)
    Promise.all(
      groups.map((groupKey) => acknowledge({ groupKey, by: by.trim(), comment: comment.trim(), duration })),
    ).then(onDone, (thrown: unknown) => setFailure(messageOf(thrown)))
  }
  return (
    <form class="card inline-form" aria-label="Acknowledge" onSubmit={save}>
      <p class="dim">
        You take it on: the group is not repeated until it has resolved or the time is over. New alerts in it still
        notify.
      </p>
      <div class="inline-fields">
        <NameField value={by} onInput={setBy} />
        <TextField
          label="Note"
          value={comment}
          placeholder="Looking at the payment provider"
          wide
          onInput={setComment}
        />
        <Choices choices={DURATIONS} value={duration} label="At most for" onChoose={setDuration} />
        <FormButtons save="Take it on" ready={ready} onCancel={onCancel} />
      </div>
      {failure !== undefined && <p class="row-error">{failure}</p>}
    </form>
  )
}
