// Links of boards, panels and data: variables filled in, addresses of other servers' boards brought home.
import type { JSX } from 'preact'
import type { BoardLink } from '../../grafana/dashboard.ts'
import { interpolate, type Scope, type VariableValue } from '../../grafana/interpolate.ts'
import { safeHref } from '../../grafana/rich-text.ts'
import { Link } from '../shell/link.tsx'
import { basePath, route } from '../state/route.ts'

/** `/d/…` and `/dashboard/…` are pages of ours, wherever the board came from. */
export function localHref(url: string): string | undefined {
  const safe = safeHref(url)
  if (safe === undefined || safe === '') return undefined
  const path = /^(?:https?:\/\/[^/]+)?\/?((?:d|d-solo)\/[^?#]+.*)$/.exec(safe)
  if (path !== null && !/^https?:/.test(safe)) return `${basePath}${path[1]}`
  if (safe.startsWith('?')) return `${basePath}${route.value.path.replace(/^\//, '')}${safe}`
  return safe.startsWith('/') ? `${basePath}${safe.slice(1)}` : safe
}

/** Parameters that hand the time and the variables of this page on. */
export function handedOn({ keepTime, includeVars }: Pick<BoardLink, 'keepTime' | 'includeVars'>): URLSearchParams {
  const out = new URLSearchParams()
  for (const [name, value] of route.value.search) {
    if ((keepTime && ['from', 'to', 'timezone'].includes(name)) || (includeVars && name.startsWith('var-')))
      out.append(name, value)
  }
  return out
}

export function linkHref(link: BoardLink, scope: Scope): string | undefined {
  const url = localHref(interpolate(link.url, withAddress(scope), 'percentencode'))
  if (url === undefined) return undefined
  const more = handedOn(link).toString()
  return more === '' ? url : `${url}${url.includes('?') ? '&' : '?'}${more}`
}

/** A data link's address: what is known of the point goes in beside the variables. */
export function dataHref(url: string, scope: Scope, facts: Readonly<Record<string, string>>): string | undefined {
  const filled = url.replaceAll(
    /\$\{(__[\w.]+?)(?:\["?([^"\]]+)"?\])?(?::\w+)?\}/g,
    (whole, name: string, key?: string) => {
      const path = key === undefined ? name : `${name}.${key}`
      return Object.hasOwn(facts, path) ? encodeURIComponent(facts[path]!) : whole
    },
  )
  return localHref(interpolate(filled, withAddress(scope), 'percentencode'))
}

function withAddress(scope: Scope): Scope {
  const raw = (text: string): VariableValue => ({ values: [text], texts: [text], isList: false, isRaw: true })
  const search = route.value.search
  const time = new URLSearchParams([...search].filter(([name]) => name === 'from' || name === 'to'))
  const variables = new URLSearchParams([...search].filter(([name]) => name.startsWith('var-')))
  return new Map([
    ...scope,
    ['__url_time_range', raw(time.toString() || (scope.get('__url_time_range')?.values[0] ?? ''))],
    ['__all_variables', raw(variables.toString())],
  ])
}

export function AnyLink({
  href,
  title,
  blank,
  class: className,
}: {
  href: string
  title: string
  blank: boolean
  class?: string
}): JSX.Element {
  const isOurs = href.startsWith(basePath) && !blank
  if (isOurs) {
    return (
      <Link href={href} {...(className === undefined ? {} : { class: className })}>
        {title}
      </Link>
    )
  }
  return (
    <a
      href={href}
      {...(className === undefined ? {} : { class: className })}
      {...(blank ? { target: '_blank' } : {})}
      rel="noopener noreferrer"
    >
      {title}
    </a>
  )
}
