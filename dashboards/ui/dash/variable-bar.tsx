// The choices of a board's variables, kept in the address.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { ALL_VALUE } from '../../grafana/variable.ts'
import { Icon } from '../shell/icons.tsx'
import { navigate, pageHref, route } from '../state/route.ts'
import { AdhocControl } from './adhoc-control.tsx'
import type { ResolvedVariable } from './variables.ts'

const OPTIONS_MAX = 300

export function VariableBar({ list }: { list: readonly ResolvedVariable[] }): JSX.Element | null {
  const shown = list.filter(({ variable }) => variable.hide !== 2 && variable.type !== 'constant')
  if (shown.length === 0) return null
  return (
    <div class="variable-bar" role="group" aria-label="Variables">
      {shown.map((one) => (
        <VariableControl key={one.variable.name} resolved={one} />
      ))}
    </div>
  )
}

function setVariable(name: string, values: readonly string[]): void {
  const search = new URLSearchParams(route.peek().search)
  search.delete(`var-${name}`)
  for (const value of values) search.append(`var-${name}`, value)
  navigate(pageHref(route.peek().path, search))
}

function VariableControl({ resolved }: { resolved: ResolvedVariable }): JSX.Element {
  const { variable, chosen, options, error } = resolved
  const isText = variable.type === 'textbox'
  return (
    <span class="variable" title={error ?? (variable.description || undefined)}>
      {variable.hide !== 1 && <span class="variable-label">{variable.label}</span>}
      {variable.type === 'adhoc' ? (
        <AdhocControl label={variable.label} chosen={chosen} onChange={(next) => setVariable(variable.name, next)} />
      ) : isText ? (
        <input
          class="plain-input"
          aria-label={variable.label}
          value={chosen[0] ?? ''}
          onChange={(event) => setVariable(variable.name, [event.currentTarget.value])}
        />
      ) : !variable.multi && options.length <= OPTIONS_MAX ? (
        <select
          class="control"
          aria-label={variable.label}
          value={chosen[0] ?? ''}
          onChange={(event) => setVariable(variable.name, [event.currentTarget.value])}
        >
          {variable.includeAll && <option value={ALL_VALUE}>All</option>}
          {chosen[0] !== undefined && chosen[0] !== ALL_VALUE && !options.some(({ value }) => value === chosen[0]) && (
            <option value={chosen[0]}>{chosen[0]}</option>
          )}
          {options.map(({ value, text }) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
          {options.length === 0 && !variable.includeAll && chosen[0] === undefined && <option value="">none</option>}
        </select>
      ) : (
        <ChoiceList resolved={resolved} />
      )}
      {error !== undefined && (
        <span class="variable-error">
          <Icon name="warning" />
        </span>
      )}
    </span>
  )
}

/** Several values, filtered by typing. The address changes when the list is closed. */
function ChoiceList({ resolved }: { resolved: ResolvedVariable }): JSX.Element {
  const { variable, chosen, options } = resolved
  const [open, setOpen] = useState(false)
  const [picked, setPicked] = useState<readonly string[]>(chosen)
  const [filter, setFilter] = useState('')
  const boxRef = useRef<HTMLSpanElement>(null)
  const latest = useRef(picked)
  latest.current = picked
  const finish = () => {
    setOpen(false)
    setFilter('')
    if (latest.current.join('\u0000') !== chosen.join('\u0000')) setVariable(variable.name, latest.current)
  }
  useEffect(() => {
    if (!open) return
    const close = (event: Event) => {
      const outside =
        event instanceof KeyboardEvent ? event.key === 'Escape' : !boxRef.current!.contains(event.target as Node)
      if (outside) finish()
    }
    addEventListener('pointerdown', close)
    addEventListener('keydown', close)
    return () => {
      removeEventListener('pointerdown', close)
      removeEventListener('keydown', close)
    }
  }, [open, chosen])
  const toggle = (value: string) => {
    if (!variable.multi) {
      latest.current = [value]
      finish()
      return
    }
    const without = picked.filter((one) => one !== value && one !== ALL_VALUE)
    const next = value === ALL_VALUE ? [ALL_VALUE] : picked.includes(value) ? without : [...without, value]
    setPicked(next.length > 0 ? next : variable.includeAll ? [ALL_VALUE] : [value])
  }
  const text = chosen.includes(ALL_VALUE)
    ? 'All'
    : chosen.map((one) => options.find(({ value }) => value === one)?.text ?? one).join(' + ')
  const matching = options.filter((option) => option.text.toLowerCase().includes(filter.toLowerCase()))
  const shown = [
    ...(variable.includeAll && filter === '' ? [{ text: 'All', value: ALL_VALUE }] : []),
    ...matching.slice(0, OPTIONS_MAX),
  ]
  return (
    <span class="choice" ref={boxRef}>
      <button
        type="button"
        class="control"
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-label={`${variable.label}: ${text || 'none'}`}
        onClick={() => {
          setPicked(chosen)
          if (open) finish()
          else setOpen(true)
        }}
      >
        <span class="choice-text">{text || 'none'}</span>
        <Icon name="chevron" />
      </button>
      {open && (
        <div class="popover choice-list" role="dialog" aria-label={variable.label}>
          <input
            class="plain-input"
            type="search"
            placeholder="Search"
            aria-label={`Search ${variable.label}`}
            value={filter}
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
          <ul>
            {shown.map(({ value, text: label }) => (
              <li key={value}>
                <label class="check">
                  <input
                    type={variable.multi ? 'checkbox' : 'radio'}
                    checked={picked.includes(value)}
                    onChange={() => toggle(value)}
                  />
                  <span class="choice-text">{label}</span>
                </label>
              </li>
            ))}
          </ul>
          {matching.length > OPTIONS_MAX && (
            <p class="more">{`and ${matching.length - OPTIONS_MAX} more: type to search`}</p>
          )}
          {variable.multi && (
            <button type="button" class="button primary" onClick={finish}>
              Apply
            </button>
          )}
        </div>
      )}
    </span>
  )
}
