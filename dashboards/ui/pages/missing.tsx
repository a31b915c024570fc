import type { JSX } from 'preact'
import { Link } from '../shell/link.tsx'
import { Page } from '../shell/page.tsx'
import { pageHref, route } from '../state/route.ts'

export function MissingPage(): JSX.Element {
  return (
    <Page title="Not found">
      <p class="notice">
        There is no page at <code>{route.value.path}</code>. <Link href={pageHref('/')}>Go to the home page</Link>
      </p>
    </Page>
  )
}
