// Panels that list alerts and dashboards.
import type { JSX } from 'preact'
import type { DashPanel } from '../../../grafana/dashboard.ts'
import { interpolate, type Scope } from '../../../grafana/interpolate.ts'
import { flagOf, numberOf, objectOf, textOf, textsOf } from '../../../grafana/json.ts'
import { ruleGroups } from '../../api/prometheus.ts'
import { searchBoards } from '../../api/dashboards.ts'
import { EmptyState } from '../../panel/states.tsx'
import { formatAgo } from '../../shell/format.ts'
import { Link } from '../../shell/link.tsx'
import { pageHref } from '../../state/route.ts'
import { useLive } from '../../state/live.ts'
import { handedOn } from '../links.tsx'

interface Props {
  panel: DashPanel
  scope: Scope
  active: boolean
}

export function AlertListPanel({ panel, scope, active }: Props): JSX.Element {
  const { data, error, loading } = useLive((abort) => ruleGroups(abort), [], { active })
  const { options } = panel
  const name = interpolate(textOf(options.alertName), scope, 'text').toLowerCase()
  const states = objectOf(options.stateFilter)
  const wants = (state: string) => Object.keys(states).length === 0 || flagOf(states[state])
  const alerts = (data ?? [])
    .flatMap(({ rules }) => rules)
    .flatMap((rule) => rule.alerts ?? [])
    .filter(({ state, labels }) => wants(state) && (labels.alertname ?? '').toLowerCase().includes(name))
    .sort((a, b) => (a.state === b.state ? 0 : a.state === 'firing' ? -1 : 1))
    .slice(0, numberOf(options.maxItems) ?? 20)
  if (data === undefined) return <EmptyState error={error} loading={loading} />
  if (alerts.length === 0) return <p class="state">No alerts</p>
  return (
    <ul class="mini-list">
      {alerts.map(({ labels, state, activeAt }, i) => (
        <li key={i}>
          <span class={`badge ${state === 'firing' ? 'badge-crit' : 'badge-warn'}`}>{state}</span>
          <Link href={pageHref('/alerts')}>{labels.alertname ?? ''}</Link>
          <span class="dim mini-detail">{labels.instance ?? labels.job ?? ''}</span>
          <span class="dim num">{formatAgo(activeAt)}</span>
        </li>
      ))}
    </ul>
  )
}

export function DashListPanel({ panel, active }: Props): JSX.Element {
  const { options } = panel
  const starred = flagOf(options.showStarred)
  const { data, error, loading } = useLive((abort) => searchBoards({}, abort), [], { active, live: false })
  if (data === undefined) return <EmptyState error={error} loading={loading} />
  const tags = textsOf(options.tags)
  const query = textOf(options.query).toLowerCase()
  const boards = data
    .filter((board) =>
      starred
        ? board.isStarred
        : tags.every((tag) => board.tags.includes(tag)) && board.title.toLowerCase().includes(query),
    )
    .slice(0, numberOf(options.maxItems) ?? numberOf(options.limit) ?? 30)
  if (boards.length === 0) return <p class="state">{starred ? 'No starred dashboards' : 'No dashboards'}</p>
  const params = handedOn({ keepTime: flagOf(options.keepTime), includeVars: flagOf(options.includeVars) })
  return (
    <ul class="mini-list">
      {boards.map(({ uid, title, folderTitle }) => (
        <li key={uid}>
          <Link href={pageHref(`/d/${uid}/`, params)}>{title}</Link>
          <span class="dim mini-detail">{folderTitle ?? ''}</span>
        </li>
      ))}
    </ul>
  )
}
