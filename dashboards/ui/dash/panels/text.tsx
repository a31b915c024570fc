// Text panels: Markdown or HTML, built element by element from what is allowed.
import { createElement, type JSX, type VNode } from 'preact'
import { useMemo } from 'preact/hooks'
import type { DashPanel } from '../../../grafana/dashboard.ts'
import { interpolate, type Scope } from '../../../grafana/interpolate.ts'
import { textOf } from '../../../grafana/json.ts'
import { parseHtml, parseMarkdown, type RichNode } from '../../../grafana/rich-text.ts'
import { localHref } from '../links.tsx'

export function TextPanel({ panel, scope, title }: { panel: DashPanel; scope: Scope; title: string }): JSX.Element {
  const mode = textOf(panel.options.mode, 'markdown')
  const content = interpolate(textOf(panel.options.content), scope, 'text')
  const nodes = useMemo(
    () => (mode === 'html' ? parseHtml(content) : mode === 'markdown' ? parseMarkdown(content) : undefined),
    [mode, content],
  )
  return (
    <div class="rich-text" tabIndex={0} role="group" aria-label={title === '' ? 'Text' : title}>
      {nodes === undefined ? <pre>{content}</pre> : nodes.map(vnode)}
    </div>
  )
}

function vnode(node: RichNode, key: number): VNode | string {
  if (typeof node === 'string') return node
  const { href, ...attributes } = node.attributes
  const link = href === undefined ? undefined : localHref(href)
  const given: Record<string, unknown> = { ...attributes, key }
  if (link !== undefined) {
    given.href = link
    if (/^https?:/.test(link)) given.rel = 'noopener noreferrer'
  }
  // Headings of a panel stand below its title.
  const tag = /^h[1-6]$/.test(node.tag) ? 'div' : node.tag
  if (tag !== node.tag) given.class = `rich-${node.tag}`
  return createElement(tag, given, ...node.children.map(vnode))
}
