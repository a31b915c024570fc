// Fields that forms of several pages have: who acts, for how long, and how saving went.
import type { JSX } from 'preact'
import { readStorage, writeStorage } from '../state/storage.ts'

const NAME_KEY = 'belltower.creator'

/** Who acts, as remembered by this browser. */
export const rememberedName = (): string => readStorage(NAME_KEY) ?? ''
export const rememberName = (name: string): void => writeStorage(NAME_KEY, name)

interface TextProps {
  value: string
  onInput: (text: string) => void
}

export function NameField({ value, onInput }: TextProps): JSX.Element {
  return (
    <label class="field">
      Your name
      <input value={value} autocomplete="name" onInput={(event) => onInput(event.currentTarget.value)} />
    </label>
  )
}

export function TextField({
  label,
  value,
  placeholder = '',
  wrong = false,
  wide = false,
  onInput,
}: TextProps & { label: string; placeholder?: string; wrong?: boolean; wide?: boolean }): JSX.Element {
  return (
    <label class={wide ? 'field field-wide' : 'field'}>
      {label}
      <input
        value={value}
        placeholder={placeholder}
        spellcheck={false}
        aria-invalid={wrong}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </label>
  )
}

interface ChoiceProps {
  choices: readonly string[]
  value: string
  label: string
  onChoose: (choice: string) => void
}

/** A few values to choose from by a click. */
export function Choices({ choices, value, label, onChoose }: ChoiceProps): JSX.Element {
  return (
    <span class="chips" role="group" aria-label={label}>
      {choices.map((choice) => (
        <button
          key={choice}
          type="button"
          class="chip"
          aria-pressed={value === choice}
          onClick={() => onChoose(choice)}
        >
          {choice}
        </button>
      ))}
    </span>
  )
}

interface ButtonsProps {
  save: string
  ready: boolean
  onCancel: () => void
}

export function FormButtons({ save, ready, onCancel }: ButtonsProps): JSX.Element {
  return (
    <span class="actions">
      <button type="button" class="button" onClick={onCancel}>
        Cancel
      </button>
      <button type="submit" class="button primary" disabled={!ready}>
        {save}
      </button>
    </span>
  )
}

export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))
