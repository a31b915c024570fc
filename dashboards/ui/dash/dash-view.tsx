// A board on its grid: rows that fold, panels at their places, one panel alone when the address says so.
import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import type { DashboardModel } from '../../grafana/dashboard.ts'
import { adhocMatchers } from '../../grafana/adhoc.ts'
import { interpolate, type Scope } from '../../grafana/interpolate.ts'
import { type PlacedPanel, type PlacedSection, placeSections } from '../../grafana/layout.ts'
import { Icon } from '../shell/icons.tsx'
import { useLive } from '../state/live.ts'
import { route, setParams } from '../state/route.ts'
import { askedRange, rangeKey } from '../state/time.ts'
import { theme } from '../state/theme.ts'
import { eventsOfPanel, loadAnnotations } from './annotations.ts'
import { DashPanelView, type PanelActions } from './dash-panel.tsx'
import type { Arranging } from './arrange.ts'

interface Props {
  model: DashboardModel
  scope: Scope
  actions?: PanelActions | undefined
  arranging?: Arranging | undefined
}

export function DashView({ model, scope, actions, arranging }: Props): JSX.Element {
  const { search } = route.value
  const sections = useMemo(() => placeSections(model.sections, scope), [model, scope])
  const queries = model.annotations.filter(
    ({ enabled, name }) => enabled !== (search.get(`annotation-${name}`) === 'off'),
  )
  const { data: events = [] } = useLive(
    (signal) => loadAnnotations(queries, { scope, range: askedRange.peek(), theme: theme.peek(), signal }),
    [queries.map(({ expr }) => interpolate(expr, scope, 'promql')), adhocMatchers(scope), rangeKey.value, theme.value],
    { active: queries.length > 0 },
  )
  const all = model.sections.flatMap(({ panels }) => panels)
  const shared = (id: number) => all.find((panel) => panel.id === id)
  const viewed = search.get('viewPanel')?.replace(/^panel-/, '')
  const render = (placed: PlacedPanel, alone: boolean) => (
    <DashPanelView
      key={placed.key}
      placed={placed}
      boardScope={scope}
      alone={alone}
      events={eventsOfPanel(events, placed.panel.id)}
      actions={actions}
      shared={shared}
    />
  )
  if (viewed !== undefined) {
    const found = sections.flatMap(({ panels }) => panels).find(({ key }) => key === viewed)
    return found === undefined ? (
      <p class="notice">This board has no panel {viewed}.</p>
    ) : (
      <div class="dash-alone">{render(found, true)}</div>
    )
  }
  return (
    <div class="dash">
      {sections.map((section) => (
        <Section
          key={section.key}
          section={section}
          scope={scope}
          editing={actions !== undefined}
          arranging={arranging}
          render={(placed) => render(placed, false)}
        />
      ))}
    </div>
  )
}

interface SectionProps {
  section: PlacedSection
  scope: Scope
  editing: boolean
  arranging: Arranging | undefined
  render: (placed: PlacedPanel) => JSX.Element
}

function Section({ section, scope, editing, arranging, render }: SectionProps): JSX.Element {
  const { row, key, panels } = section
  const { search } = route.value
  const opened = new Set((search.get('open') ?? '').split(',').filter(Boolean))
  const folded = new Set((search.get('folded') ?? '').split(',').filter(Boolean))
  const expanded = row === undefined || (row.collapsed ? opened.has(key) : !folded.has(key))
  const toggle = () => {
    const list = row!.collapsed ? opened : folded
    if (list.has(key)) list.delete(key)
    else list.add(key)
    setParams(
      { [row!.collapsed ? 'open' : 'folded']: list.size === 0 ? undefined : [...list].join(',') },
      { replace: true },
    )
  }
  const title = row === undefined ? '' : interpolate(row.title, new Map([...scope, ...section.scope]), 'text')
  return (
    <section class="dash-section" aria-label={title || undefined}>
      {row !== undefined && (
        <h2 class="dash-row">
          <button type="button" class="row-title" data-row={key} aria-expanded={expanded} onClick={toggle}>
            <Icon name="chevron" />
            {title || 'Row'}
            {!expanded && <span class="dim">{` (${panels.length} ${panels.length === 1 ? 'panel' : 'panels'})`}</span>}
          </button>
        </h2>
      )}
      {expanded && (
        <div class={`dash-grid${editing ? ' editing' : ''}`}>
          {panels.map((placed) => {
            const { x, y, w, h } = placed.place
            return (
              <div
                key={placed.key}
                class="dash-cell"
                style={{ gridColumn: `${x + 1} / span ${w}`, gridRow: `${y + 1} / span ${h}`, '--h': String(h) }}
                {...(arranging === undefined ? {} : arranging.cell(placed.panel))}
              >
                {render(placed)}
                {arranging !== undefined && (
                  <span class="resize-handle" aria-hidden="true" {...arranging.handle(placed.panel)} />
                )}
              </div>
            )
          })}
        </div>
      )}
    </section>
  )
}
