// The address is the truth: pages read it, and going somewhere writes it.
import { computed, signal } from '@preact/signals'

/** Path below which the server answers, with both slashes: `/` or `/some/prefix/`. Found by this script's own address. */
export const basePath = new URL(/* @vite-ignore */ '../', import.meta.url).pathname

const href = signal(location.href)

/** Path of the page below the base, `/` first, and its parameters. */
export const route = computed(() => {
  const url = new URL(href.value)
  const path = url.pathname.startsWith(basePath) ? `/${url.pathname.slice(basePath.length)}` : url.pathname
  return { path, search: url.searchParams }
})

window.addEventListener('popstate', followAddress)
window.addEventListener('hashchange', followAddress)
followAddress()

/** Address of a page of ours; parameters that are `undefined` are left out. */
export function pageHref(
  path: string,
  params: Readonly<Record<string, string | undefined>> | URLSearchParams = {},
): string {
  const search =
    params instanceof URLSearchParams
      ? params
      : new URLSearchParams(Object.entries(params).filter((entry): entry is [string, string] => entry[1] !== undefined))
  const query = search.toString()
  return `${basePath}${path.replace(/^\//, '')}${query === '' ? '' : `?${query}`}`
}

export function navigate(to: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', to)
  else history.pushState(null, '', to)
  followAddress()
}

/** Changes parameters of the present page; `undefined` removes one. */
export function setParams(
  changes: Readonly<Record<string, string | undefined>>,
  options: { replace?: boolean } = {},
): void {
  const search = new URLSearchParams(route.peek().search)
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) search.delete(name)
    else search.set(name, value)
  }
  navigate(pageHref(route.peek().path, search), options)
}

function followAddress(): void {
  const alertmanagerPage = translateAlertmanagerLink(new URL(location.href))
  if (alertmanagerPage !== undefined) history.replaceState(null, '', alertmanagerPage)
  href.value = location.href
}

/** Links in notifications point to Alertmanager's hash routes; each has its page here. */
function translateAlertmanagerLink(url: URL): string | undefined {
  if (url.pathname.replace(/\/?$/, '/') !== `${basePath}alertmanager/`) return undefined
  const [path = '', query = ''] = url.hash.replace(/^#/, '').split('?', 2)
  const search = new URLSearchParams(query)
  const filter = search.get('filter') ?? undefined
  if (path === '/silences/new') return pageHref('/silences', { new: '1', filter })
  if (path.startsWith('/silences/edit/')) return pageHref('/silences', { edit: path.slice('/silences/edit/'.length) })
  if (path === '/silences') return pageHref('/silences', { filter })
  if (path.startsWith('/silences/')) return pageHref('/silences', { id: path.slice('/silences/'.length) })
  if (path === '/status') return pageHref('/status')
  return pageHref('/alerts', { tab: 'notified', filter, receiver: search.get('receiver') ?? undefined })
}
