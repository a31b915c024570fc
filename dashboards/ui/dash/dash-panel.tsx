// The frame of a board's panel: title, links, tools, states; what is inside comes from its kind.
import { Component, type ComponentChildren, type ComponentType, type JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { adhocMatchers } from '../../grafana/adhoc.ts'
import { interpolate, type Scope } from '../../grafana/interpolate.ts'
import type { ColumnMemory } from '../api/columns.ts'
import type { PlacedPanel } from '../../grafana/layout.ts'
import { textOf } from '../../grafana/json.ts'
import { EmptyState, StaleNote } from '../panel/states.tsx'
import { Icon } from '../shell/icons.tsx'
import { Link } from '../shell/link.tsx'
import { useLive } from '../state/live.ts'
import { pageHref, setParams } from '../state/route.ts'
import { askedRange, rangeKey, timeZone } from '../state/time.ts'
import { AnyLink, linkHref } from './links.tsx'
import { expandTarget, loadPanel, type PanelData, panelRange } from './panel-data.ts'
import type { BoardEvent, PanelProps } from './panel-props.ts'
import { BarChartPanel, HistogramPanel } from './panels/bar-chart.tsx'
import { BarGaugePanel } from './panels/bar-gauge.tsx'
import { GaugePanel } from './panels/gauge.tsx'
import { HeatmapPanel } from './panels/heatmap.tsx'
import { AlertListPanel, DashListPanel } from './panels/lists.tsx'
import { PiePanel } from './panels/pie.tsx'
import { StatPanel } from './panels/stat.tsx'
import { StateTimelinePanel } from './panels/state-timeline.tsx'
import { TablePanel } from './panels/table.tsx'
import { TextPanel } from './panels/text.tsx'
import { TimeSeriesPanel } from './panels/time-series.tsx'

const NEAR_PX = 300
const WIDTH_GRAIN_PX = 20

const BODIES: Readonly<Record<string, ComponentType<PanelProps>>> = {
  timeseries: TimeSeriesPanel,
  stat: StatPanel,
  gauge: GaugePanel,
  bargauge: BarGaugePanel,
  table: TablePanel,
  heatmap: HeatmapPanel,
  'state-timeline': StateTimelinePanel,
  'status-history': StateTimelinePanel,
  piechart: PiePanel,
  barchart: BarChartPanel,
  histogram: HistogramPanel,
}

export interface PanelActions {
  readonly edit: (id: number) => void
  readonly duplicate: (id: number) => void
  readonly remove: (id: number) => void
}

interface Props {
  placed: PlacedPanel
  boardScope: Scope
  alone: boolean
  events: readonly BoardEvent[]
  /** Present while the board is being edited. */
  actions?: PanelActions | undefined
  shared: (id: number) => PlacedPanel['panel'] | undefined
}

export function DashPanelView({ placed, boardScope, alone, events, actions, shared }: Props): JSX.Element {
  const { panel, key } = placed
  const ref = useRef<HTMLDivElement>(null)
  const { near, widthPx, heightPx } = useVicinity(ref)
  const [asTable, setAsTable] = useState(false)
  const scope = useMemo<Scope>(() => new Map([...boardScope, ...placed.scope]), [boardScope, placed.scope])
  const title = interpolate(panel.title, scope, 'text')
  const body = BODIES[panel.type]
  const links = panel.links
    .map((link) => ({ link, href: linkHref(link, scope) }))
    .filter((one) => one.href !== undefined)
  return (
    <article
      class={`panel dash-panel${near ? '' : ' panel-far'}${panel.transparent ? ' panel-clear' : ''}${title === '' && actions === undefined ? ' panel-untitled' : ''}`}
      data-panel-id={key}
      data-panel-type={panel.type}
      aria-label={title || `Panel ${key}`}
      {...(panel.placeholder === undefined ? {} : { 'data-placeholder': panel.placeholder })}
    >
      <header class="panel-head" data-drag={actions === undefined ? undefined : panel.id}>
        <h3 class="panel-title" title={title}>
          {title}
        </h3>
        {panel.description !== '' && (
          <span
            class="hint"
            title={interpolate(panel.description, scope, 'text')}
            aria-label={panel.description}
            role="note"
          >
            <Icon name="info" />
          </span>
        )}
        {panel.timeFrom !== '' && <span class="tag">{`last ${interpolate(panel.timeFrom, scope)}`}</span>}
        <span class="panel-tools">
          {links.slice(0, 2).map(({ link, href }, i) => (
            <AnyLink
              key={i}
              href={href!}
              title={link.title || 'Link'}
              blank={link.targetBlank}
              class="tool tool-text"
            />
          ))}
          {actions !== undefined && <EditTools id={panel.id} title={title} actions={actions} />}
          {panel.type === 'timeseries' && (
            <button
              type="button"
              class="tool"
              aria-pressed={asTable}
              title={asTable ? 'Show as chart' : 'Show as table'}
              aria-label={asTable ? 'Show as chart' : 'Show as table'}
              onClick={() => setAsTable(!asTable)}
            >
              <Icon name="table" />
            </button>
          )}
          {panel.targets.length > 0 && <QueriesLink panel={panel} scope={scope} widthPx={widthPx} />}
          <button
            type="button"
            class="tool"
            title={alone ? 'Back to all panels' : 'Show alone'}
            aria-label={alone ? 'Back to all panels' : 'Show alone'}
            onClick={() => setParams({ viewPanel: alone ? undefined : key })}
          >
            <Icon name={alone ? 'shrink' : 'expand'} />
          </button>
        </span>
      </header>
      <div class="panel-body" ref={ref}>
        <Guard key={panel.type}>
          {panel.placeholder !== undefined ? (
            <Placeholder reason={panel.placeholder} />
          ) : panel.type === 'text' ? (
            <TextPanel panel={panel} scope={scope} title={title} />
          ) : panel.type === 'alertlist' ? (
            <AlertListPanel panel={panel} scope={scope} active={near} />
          ) : panel.type === 'dashlist' ? (
            <DashListPanel panel={panel} scope={scope} active={near} />
          ) : body !== undefined && widthPx > 0 ? (
            <QueriedBody
              Body={body}
              placed={placed}
              scope={scope}
              title={title}
              near={near}
              widthPx={widthPx}
              heightPx={heightPx}
              events={events}
              asTable={asTable}
              shared={shared}
            />
          ) : null}
        </Guard>
      </div>
    </article>
  )
}

/** A panel that cannot be drawn for a fault of ours does not take the others with it. */
class Guard extends Component<{ children: ComponentChildren }, { fault?: string }> {
  override state: { fault?: string } = {}

  override componentDidCatch(thrown: unknown): void {
    this.setState({ fault: thrown instanceof Error ? thrown.message : String(thrown) })
  }

  override render(): ComponentChildren {
    return this.state.fault === undefined ? (
      this.props.children
    ) : (
      <EmptyState error={`This panel cannot be drawn: ${this.state.fault}`} loading={false} />
    )
  }
}

function EditTools({ id, title, actions }: { id: number; title: string; actions: PanelActions }): JSX.Element {
  const tool = (name: keyof PanelActions, text: string, icon: 'edit' | 'plus' | 'close') => (
    <button
      type="button"
      class="tool tool-edit"
      title={text}
      aria-label={`${text}: ${title}`}
      onClick={() => actions[name](id)}
    >
      <Icon name={icon} />
    </button>
  )
  return (
    <>
      {tool('edit', 'Edit', 'edit')}
      {tool('duplicate', 'Duplicate', 'plus')}
      {tool('remove', 'Remove', 'close')}
    </>
  )
}

function Placeholder({ reason }: { reason: string }): JSX.Element {
  return (
    <div class="placeholder" role="note">
      <Icon name="info" />
      <p>{reason}</p>
    </div>
  )
}

interface QueriedProps {
  Body: ComponentType<PanelProps>
  placed: PlacedPanel
  scope: Scope
  title: string
  near: boolean
  widthPx: number
  heightPx: number
  events: readonly BoardEvent[]
  asTable: boolean
  shared: Props['shared']
}

function QueriedBody({
  Body,
  placed,
  scope,
  title,
  near,
  widthPx,
  heightPx,
  events,
  asTable,
  shared,
}: QueriedProps): JSX.Element {
  const { panel } = placed
  const source = panel.sharedPanelId === undefined ? undefined : shared(panel.sharedPanelId)
  const asking = useMemo(() => (source === undefined ? panel : { ...panel, targets: source.targets }), [panel, source])
  const range = askedRange.value
  const memory = useRef<ColumnMemory>(new Map()).current
  const texts = asking.targets.map((target) => [
    target.refId,
    target.hide,
    interpolate(target.expr, scope, 'promql'),
    interpolate(target.legend, scope, 'text'),
    target.format,
    target.instant,
    target.interval,
  ])
  const { data, error, loading } = useLive<PanelData>(
    (abort) => loadPanel({ panel: asking, scope, range, widthPx, timezone: timeZone.value, memory }, abort),
    [texts, adhocMatchers(scope), panel.transformations, panel.timeFrom, panel.timeShift, rangeKey.value, widthPx],
    { active: near },
  )
  const shownNow = shownEvents(events, panel.type)
  // The same element again while nothing of it changes: coming near and going far cost no rendering.
  const body = useMemo(
    () =>
      data && (
        <Body
          panel={panel}
          panelKey={placed.key}
          title={title}
          data={data}
          scope={scope}
          widthPx={widthPx}
          heightPx={heightPx}
          events={shownNow}
          asTable={asTable}
        />
      ),
    [Body, panel, placed.key, title, data, scope, widthPx, heightPx, shownNow, asTable],
  )
  if (data === undefined) return <EmptyState error={error} loading={loading} />
  return (
    <>
      {body}
      <StaleNote error={error} />
      {data.notes.length > 0 && (
        <span class="panel-notes" role="note" title={data.notes.join('\n')} aria-label={data.notes.join(' ')}>
          <Icon name="warning" />
        </span>
      )}
    </>
  )
}

const NO_EVENTS: readonly BoardEvent[] = []

function shownEvents(events: readonly BoardEvent[], type: string): readonly BoardEvent[] {
  return type === 'timeseries' ? events : NO_EVENTS
}

/** Opens the panel's queries on the query page, with everything filled in. */
function QueriesLink({
  panel,
  scope,
  widthPx,
}: {
  panel: PlacedPanel['panel']
  scope: Scope
  widthPx: number
}): JSX.Element {
  const range = panelRange({ panel, scope, range: askedRange.value })
  const search = new URLSearchParams()
  panel.targets.forEach((target, i) => {
    const { expr } = expandTarget(target, { panel, scope, range, widthPx: widthPx || 600, timezone: timeZone.value })
    search.set(`g${i}.expr`, expr)
    search.set(`g${i}.tab`, textOf(panel.type) === 'table' || target.instant ? 'table' : 'graph')
    search.set(`g${i}.range_input`, `${Math.round((range.toMs - range.fromMs) / 1000)}s`)
  })
  return (
    <Link class="tool" href={pageHref('/query', search)} title="Open in query page" label="Open in query page">
      <Icon name="query" />
    </Link>
  )
}

function useVicinity(ref: { readonly current: HTMLElement | null }): {
  near: boolean
  widthPx: number
  heightPx: number
} {
  const [near, setNear] = useState(false)
  const [size, setSize] = useState({ widthPx: 0, heightPx: 0 })
  useEffect(() => {
    const element = ref.current!
    const seen = new IntersectionObserver(([entry]) => setNear(entry!.isIntersecting), { rootMargin: `${NEAR_PX}px` })
    const sized = new ResizeObserver(() => {
      // Widths are rounded, so that small changes of layout do not ask for other steps.
      const widthPx = Math.max(WIDTH_GRAIN_PX, Math.round(element.clientWidth / WIDTH_GRAIN_PX) * WIDTH_GRAIN_PX)
      setSize((was) =>
        was.widthPx === widthPx && was.heightPx === element.clientHeight
          ? was
          : { widthPx, heightPx: element.clientHeight },
      )
    })
    seen.observe(element)
    sized.observe(element)
    return () => {
      seen.disconnect()
      sized.disconnect()
    }
  }, [])
  return { near, ...size }
}
