// The shell: navigation, time controls, theme; which page the address names.
import type { ComponentType, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { ruleGroups } from './api/prometheus.ts'
import { Icon } from './shell/icons.tsx'
import { Keys } from './shell/keys.tsx'
import { Link } from './shell/link.tsx'
import { TimeControls } from './shell/time-controls.tsx'
import { useLive } from './state/live.ts'
import { basePath, pageHref, route } from './state/route.ts'
import { type ThemeChoice, themeChoice } from './state/theme.ts'
import { timeParams } from './state/time.ts'

type PageName =
  | 'home'
  | 'dashboards'
  | 'dashboard'
  | 'board'
  | 'services'
  | 'query'
  | 'targets'
  | 'alerts'
  | 'silences'
  | 'on-call'
  | 'rules'
  | 'routes'
  | 'push'
  | 'status'
  | 'missing'

const NAVIGATION: readonly { page: PageName; path: string; title: string; timed?: boolean }[] = [
  { page: 'home', path: '/', title: 'Home', timed: true },
  { page: 'dashboards', path: '/dashboards', title: 'Dashboards', timed: true },
  { page: 'services', path: '/services', title: 'Services', timed: true },
  { page: 'query', path: '/query', title: 'Query' },
  { page: 'targets', path: '/targets', title: 'Targets' },
  { page: 'alerts', path: '/alerts', title: 'Alerts' },
  { page: 'silences', path: '/silences', title: 'Silences' },
  { page: 'on-call', path: '/on-call', title: 'On call' },
  { page: 'rules', path: '/rules', title: 'Rules' },
  { page: 'routes', path: '/routes', title: 'Routes' },
  { page: 'push', path: '/push', title: 'Push' },
  { page: 'status', path: '/status', title: 'Status' },
]

/** Each page comes in a piece of its own. */
const LAZY: Readonly<Record<PageName, () => Promise<ComponentType>>> = {
  home: async () => (await import('./pages/home.tsx')).HomePage,
  dashboards: async () => (await import('./pages/dashboards.tsx')).DashboardsPage,
  dashboard: async () => (await import('./pages/dashboard.tsx')).DashboardPage,
  board: async () => (await import('./pages/built-in.tsx')).BuiltInPage,
  services: async () => (await import('./pages/services.tsx')).ServicesPage,
  query: async () => (await import('./pages/query.tsx')).QueryPage,
  targets: async () => (await import('./pages/targets.tsx')).TargetsPage,
  alerts: async () => (await import('./pages/alerts.tsx')).AlertsPage,
  silences: async () => (await import('./pages/silences.tsx')).SilencesPage,
  'on-call': async () => (await import('./pages/on-call.tsx')).OnCallPage,
  rules: async () => (await import('./pages/rules.tsx')).RulesPage,
  routes: async () => (await import('./pages/routes.tsx')).RoutesPage,
  push: async () => (await import('./pages/push.tsx')).PushPage,
  status: async () => (await import('./pages/status.tsx')).StatusPage,
  missing: async () => (await import('./pages/missing.tsx')).MissingPage,
}

function pageOf(path: string): PageName {
  const first = path.split('/')[1] ?? ''
  if (first === '') return 'home'
  if (first === 'graph') return 'query'
  if (first === 'd') return 'dashboard'
  if (path.startsWith('/dashboards/built-in/')) return 'board'
  return NAVIGATION.find(({ page }) => page === first)?.page ?? 'missing'
}

export function App(): JSX.Element {
  const page = pageOf(route.value.path)
  const title =
    page === 'dashboard' || page === 'board'
      ? 'Dashboard'
      : (NAVIGATION.find((entry) => entry.page === page)?.title ?? 'Not found')
  useEffect(() => {
    document.title = `${title} · Belltower`
  }, [title])
  return (
    <>
      <a class="skip-link" href="#main">
        Skip to content
      </a>
      {!route.value.search.has('kiosk') && <TopBar page={page} />}
      <Keys />
      <LazyPage key={page} page={page} />
    </>
  )
}

function TopBar({ page }: { page: PageName }): JSX.Element {
  const timed = page === 'home' || page === 'services' || page === 'dashboard' || page === 'board'
  const navRef = useRef<HTMLElement>(null)
  useEffect(() => {
    // On narrow screens the row of pages scrolls sideways.
    const nav = navRef.current!
    const current = nav.querySelector<HTMLElement>('[aria-current]')
    if (current !== null) nav.scrollLeft = current.offsetLeft - nav.offsetLeft - nav.clientWidth / 2
  }, [page])
  return (
    <header class="top-bar">
      <Link class="brand" href={pageHref('/', timeParams.value)} label="Belltower, home">
        <img src={`${basePath}belltower.svg`} alt="" width="22" height="22" />
        <span>Belltower</span>
      </Link>
      <nav aria-label="Pages" ref={navRef}>
        {NAVIGATION.map((entry) => (
          <Link
            key={entry.page}
            class="nav-link"
            current={entry.page === page || ((page === 'dashboard' || page === 'board') && entry.page === 'dashboards')}
            href={pageHref(entry.path, entry.timed ? timeParams.value : {})}
          >
            {entry.title}
            {entry.page === 'alerts' && <FiringBadge />}
          </Link>
        ))}
      </nav>
      <div class="top-tools">
        {timed && <TimeControls />}
        <ThemeToggle />
      </div>
    </header>
  )
}

function FiringBadge(): JSX.Element | null {
  const { data } = useLive((abort) => ruleGroups(abort), [])
  const firing = (data ?? []).flatMap(({ rules }) => rules).reduce((sum, rule) => sum + firingCount(rule.alerts), 0)
  return firing === 0 ? null : (
    <span class="badge badge-crit" aria-label={`${firing} firing`}>
      {firing}
    </span>
  )
}

function firingCount(alerts: readonly { state: string }[] = []): number {
  return alerts.filter(({ state }) => state === 'firing').length
}

const NEXT_THEME: Readonly<Record<ThemeChoice, ThemeChoice>> = { auto: 'light', light: 'dark', dark: 'auto' }
const THEME_ICON = { auto: 'auto', light: 'sun', dark: 'moon' } as const

function ThemeToggle(): JSX.Element {
  const choice = themeChoice.value
  const label = `Theme: ${choice}. Change to ${NEXT_THEME[choice]}.`
  return (
    <button
      type="button"
      class="control icon-only"
      title={label}
      aria-label={label}
      onClick={() => {
        themeChoice.value = NEXT_THEME[choice]
      }}
    >
      <Icon name={THEME_ICON[choice]} />
    </button>
  )
}

function LazyPage({ page }: { page: PageName }): JSX.Element {
  const [loaded, setLoaded] = useState<{ Content?: ComponentType; failed?: boolean }>({})
  useEffect(() => {
    let wanted = true
    LAZY[page]().then(
      (Content) => wanted && setLoaded({ Content }),
      () => wanted && setLoaded({ failed: true }),
    )
    return () => {
      wanted = false
    }
  }, [page])
  const { Content, failed } = loaded
  if (Content !== undefined) return <Content />
  return (
    <main id="main">
      {failed && (
        <p class="notice notice-crit">This page could not be loaded. The server may have been updated: reload.</p>
      )}
    </main>
  )
}
