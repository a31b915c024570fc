// The line of facts on top of the home page: what an operator asks first.
import type { ComponentChildren, JSX } from 'preact'
import type { BoardQuery } from '../../model/board.ts'
import { columnStats } from '../../model/frame.ts'
import { paletteColor } from '../../model/series-color.ts'
import { formatValue } from '../../model/units.ts'
import { type RuleGroup, ruleGroups } from '../api/prometheus.ts'
import { loadLines } from '../panel/panel-data.ts'
import { Sparkline } from '../panel/stat.tsx'
import { Link } from '../shell/link.tsx'
import { scrapeIntervalMs, targets, targetsError } from '../state/catalog.ts'
import { useLive } from '../state/live.ts'
import { pageHref } from '../state/route.ts'
import { theme } from '../state/theme.ts'
import { rangeKey, shownRange } from '../state/time.ts'

const SPARKLINE_PX = 180

export function HealthStrip(): JSX.Element {
  return (
    <section class="health" aria-label="Health">
      <TargetsFact />
      <AlertsFact />
      <TrendFact
        title="Active series"
        unit="short"
        color={2}
        exprs={['sum(prometheus_tsdb_head_series)', 'sum(scrape_samples_post_metric_relabeling)']}
      />
      <TrendFact
        title="Samples stored"
        unit="cps"
        color={0}
        exprs={['sum(rate(prometheus_tsdb_head_samples_appended_total[$__rate_interval]))']}
      />
      <TrendFact title="Slowest scrape" unit="s" color={1} exprs={['max(scrape_duration_seconds)']} />
      <TrendFact
        title="Memory"
        unit="bytes"
        color={5}
        exprs={['sum(process_resident_memory_bytes and on (job, instance) prometheus_tsdb_head_series)']}
      />
    </section>
  )
}

function Fact({
  title,
  href,
  tone,
  children,
}: {
  title: string
  href?: string
  tone?: string
  children: ComponentChildren
}): JSX.Element {
  const content = (
    <>
      <span class="fact-title">{title}</span>
      {children}
    </>
  )
  const className = `fact${tone === undefined ? '' : ` fact-${tone}`}`
  return href === undefined ? (
    <div class={className}>{content}</div>
  ) : (
    <Link class={className} href={href}>
      {content}
    </Link>
  )
}

function TargetsFact(): JSX.Element {
  const known = targets.value
  const up = known?.filter(({ health }) => health === 'up').length ?? 0
  const down = known?.filter(({ health }) => health === 'down') ?? []
  const waiting = (known?.length ?? 0) - up - down.length
  const note =
    targetsError.value ??
    (down.length > 0
      ? `down: ${[...new Set(down.map(({ labels }) => labels.job ?? ''))].join(', ')}`
      : waiting > 0
        ? `${waiting} not scraped yet`
        : known?.length === 0
          ? 'none configured yet'
          : 'all answering')
  return (
    <Fact title="Targets up" href={pageHref('/targets')} tone={down.length > 0 || targetsError.value ? 'crit' : 'ok'}>
      <span class="fact-value">
        {known === undefined ? '–' : up}
        {known !== undefined && <span class="fact-of"> of {known.length}</span>}
      </span>
      <span class="fact-note">{known === undefined && targetsError.value === undefined ? 'loading' : note}</span>
    </Fact>
  )
}

function AlertsFact(): JSX.Element {
  const { data, error } = useLive((abort) => ruleGroups(abort), [])
  const { firing, pending, rules } = countAlerts(data ?? [])
  const note =
    error ?? (pending > 0 ? `${pending} pending` : `${rules} ${rules === 1 ? 'rule' : 'rules'}, quiet otherwise`)
  return (
    <Fact title="Firing alerts" href={pageHref('/alerts')} tone={firing > 0 ? 'crit' : pending > 0 ? 'warn' : 'ok'}>
      <span class="fact-value">{data === undefined ? '–' : firing}</span>
      <span class="fact-note">{firing > 0 && pending === 0 ? `of ${rules} alert rules` : note}</span>
    </Fact>
  )
}

function countAlerts(groups: readonly RuleGroup[]): { firing: number; pending: number; rules: number } {
  const alerting = groups.flatMap(({ rules }) => rules).filter(({ type }) => type === 'alerting')
  const alerts = alerting.flatMap(({ alerts = [] }) => alerts)
  return {
    firing: alerts.filter(({ state }) => state === 'firing').length,
    pending: alerts.filter(({ state }) => state === 'pending').length,
    rules: alerting.length,
  }
}

/** A figure with its course. The first expression with an answer is taken. */
function TrendFact({
  title,
  unit,
  color,
  exprs,
}: {
  title: string
  unit: string
  color: number
  exprs: readonly string[]
}): JSX.Element {
  const intervalMs = scrapeIntervalMs()
  const range = shownRange.value
  const { data } = useLive(
    (abort) => firstAnswer(exprs, { range, widthPx: SPARKLINE_PX, scrapeIntervalMs: intervalMs ?? 15_000 }, abort),
    [exprs, rangeKey.value, intervalMs],
    { active: intervalMs !== undefined },
  )
  const y = data?.frame.ys[0]
  return (
    <Fact title={title}>
      <span class="fact-value">{y === undefined ? '–' : formatValue(columnStats(y).last, unit)}</span>
      {data !== undefined && y !== undefined ? (
        <Sparkline data={data} color={paletteColor(color, theme.value)} />
      ) : (
        <span class="fact-note">collecting…</span>
      )}
    </Fact>
  )
}

async function firstAnswer(exprs: readonly string[], context: Parameters<typeof loadLines>[1], signal: AbortSignal) {
  for (const expr of exprs) {
    const query: BoardQuery = { expr }
    const data = await loadLines([query], context, signal)
    if (data.frame.ys.length > 0) return data
  }
  return undefined
}
