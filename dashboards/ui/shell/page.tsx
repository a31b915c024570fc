import type { ComponentChildren, JSX } from 'preact'
import { Icon } from './icons.tsx'

interface PageProps {
  title: string
  tools?: ComponentChildren
  children: ComponentChildren
}

export function Page({ title, tools, children }: PageProps): JSX.Element {
  return (
    <main id="main" tabIndex={-1}>
      <div class="page-head">
        <h1>{title}</h1>
        <div class="page-tools">{tools}</div>
      </div>
      {children}
    </main>
  )
}

/** What a list shows instead of rows. */
export function ListState({
  error,
  loading,
  empty,
}: {
  error: string | undefined
  loading: boolean
  empty: string
}): JSX.Element {
  if (error !== undefined) {
    return (
      <p class="notice notice-crit" role="alert">
        <Icon name="warning" /> {error}
      </p>
    )
  }
  return <p class="notice">{loading ? 'Loading…' : empty}</p>
}

export function Filter({
  value,
  onInput,
  label,
}: {
  value: string
  onInput: (text: string) => void
  label: string
}): JSX.Element {
  return (
    <span class="filter">
      <Icon name="search" />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        value={value}
        spellcheck={false}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </span>
  )
}
