// Filters of a board: those there are, each with a way out, and a form for another.
import type { JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { ADHOC_OPERATORS, type AdhocFilter, decodeFilter, encodeFilter } from '../../grafana/adhoc.ts'
import { labelNames, labelValues } from '../api/prometheus.ts'
import { Icon } from '../shell/icons.tsx'
import { useLive } from '../state/live.ts'

const OFFERED_MAX = 500
const TYPED_OPERATORS = ADHOC_OPERATORS.filter((operator) => !operator.endsWith('|'))

interface Props {
  label: string
  chosen: readonly string[]
  onChange: (chosen: readonly string[]) => void
}

export function AdhocControl({ label, chosen, onChange }: Props): JSX.Element {
  const [adding, setAdding] = useState(false)
  const filters = chosen.map(decodeFilter).filter((one) => one !== undefined)
  const write = (next: readonly AdhocFilter[]) => onChange(next.length === 0 ? [''] : next.map(encodeFilter))
  return (
    <span class="adhoc" role="group" aria-label={label}>
      {filters.map((filter, i) => {
        const text = `${filter.key} ${filter.operator.replace('|', '')} ${filter.values.join(', ')}`
        return (
          <span key={i} class="adhoc-filter">
            <span class="choice-text mono">{text}</span>
            <button
              type="button"
              class="adhoc-remove"
              title="Remove"
              aria-label={`Remove filter ${text}`}
              onClick={() => write(filters.filter((_, at) => at !== i))}
            >
              <Icon name="close" />
            </button>
          </span>
        )
      })}
      {adding ? (
        <FilterForm
          onAdd={(filter) => {
            setAdding(false)
            write([...filters, filter])
          }}
          onCancel={() => setAdding(false)}
        />
      ) : (
        <button type="button" class="control" onClick={() => setAdding(true)}>
          <Icon name="plus" /> Filter
        </button>
      )}
    </span>
  )
}

function FilterForm({ onAdd, onCancel }: { onAdd: (filter: AdhocFilter) => void; onCancel: () => void }): JSX.Element {
  const id = useId()
  const firstRef = useRef<HTMLInputElement>(null)
  useEffect(() => firstRef.current!.focus(), [])
  const [key, setKey] = useState('')
  const [operator, setOperator] = useState<string>('=')
  const [value, setValue] = useState('')
  const { data: names = [] } = useLive((signal) => labelNames(undefined, signal), [], { live: false })
  const { data: values = [] } = useLive((signal) => labelValues(key, undefined, signal), [key], {
    live: false,
    active: names.includes(key),
  })
  return (
    <form
      class="adhoc-form"
      onSubmit={(event) => {
        event.preventDefault()
        if (key.trim() !== '') onAdd({ key: key.trim(), operator, values: [value] })
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onCancel()
      }}
    >
      <input
        class="plain-input"
        aria-label="Label"
        placeholder="Label"
        list={`${id}-names`}
        value={key}
        ref={firstRef}
        onInput={(event) => setKey(event.currentTarget.value)}
      />
      <select
        class="control"
        aria-label="Operator"
        value={operator}
        onChange={(event) => setOperator(event.currentTarget.value)}
      >
        {TYPED_OPERATORS.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
      <input
        class="plain-input"
        aria-label="Value"
        placeholder="Value"
        list={`${id}-values`}
        value={value}
        onInput={(event) => setValue(event.currentTarget.value)}
      />
      <datalist id={`${id}-names`}>
        {names
          .filter((name) => name !== '__name__')
          .slice(0, OFFERED_MAX)
          .map((name) => (
            <option key={name} value={name} />
          ))}
      </datalist>
      <datalist id={`${id}-values`}>
        {values.slice(0, OFFERED_MAX).map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <button type="submit" class="button primary" disabled={key.trim() === ''}>
        Add
      </button>
      <button type="button" class="button" onClick={onCancel}>
        Cancel
      </button>
    </form>
  )
}
