import type { ComponentChildren, JSX } from 'preact'
import { navigate } from '../state/route.ts'

interface Props {
  href: string
  class?: string
  title?: string
  label?: string
  current?: boolean
  children: ComponentChildren
}

/** A link inside the application: no page load, and the browser's own behaviour with any modifier key. */
export function Link({ href, class: className, title, label, current, children }: Props): JSX.Element {
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    navigate(href)
    scrollTo(0, 0)
  }
  return (
    <a
      href={href}
      onClick={follow}
      {...(className === undefined ? {} : { class: className })}
      {...(title === undefined ? {} : { title })}
      {...(label === undefined ? {} : { 'aria-label': label })}
      {...(current ? { 'aria-current': 'page' as const } : {})}
    >
      {children}
    </a>
  )
}
