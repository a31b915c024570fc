// What the rules say, what became of it in the Alertmanager, and what was sent.
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { formatAlertMatcher, parseAlertMatchers } from '../../model/alert-matchers.ts'
import type { LabelSet } from '../../model/frame.ts'
import { formatAge, formatValue } from '../../model/units.ts'
import { type Acknowledgement, acknowledgements } from '../api/alerting.ts'
import { type AlertGroup, alertGroups, type GettableAlert, notifiedAlerts, receiverNames } from '../api/alertmanager.ts'
import { type ActiveAlert, type Rule, type RuleGroup, ruleGroups } from '../api/prometheus.ts'
import { formatAgo } from '../shell/format.ts'
import { Icon } from '../shell/icons.tsx'
import { Labels } from '../shell/labels.tsx'
import { Link } from '../shell/link.tsx'
import { Filter, ListState, Page } from '../shell/page.tsx'
import { useLive } from '../state/live.ts'
import { pageHref, route, setParams } from '../state/route.ts'
import { AlertDetail } from './alert-detail.tsx'
import { acknowledgementOf, Annotations, arrivedAlert, exactMatchers, FateTag, queryHref } from './alert-parts.tsx'
import { SentView } from './sent.tsx'
import '../style/ops.css'

const STATES = ['firing', 'pending', 'inactive'] as const
type AlertState = (typeof STATES)[number]
const TABS = { rules: 'By rule', notified: 'By notification group', sent: 'Sent' } as const
type Tab = keyof typeof TABS

export function AlertsPage(): JSX.Element {
  const asked = route.value.search.get('tab') ?? ''
  const tab: Tab = asked in TABS ? (asked as Tab) : 'rules'
  const listRef = useRowKeys()
  return (
    <Page
      title="Alerts"
      tools={
        <span class="chips" role="group" aria-label="View">
          {(Object.keys(TABS) as Tab[]).map((name) => (
            <button
              key={name}
              type="button"
              class="chip"
              aria-pressed={tab === name}
              onClick={() => setParams({ tab: name === 'rules' ? undefined : name, alert: undefined })}
            >
              {TABS[name]}
            </button>
          ))}
        </span>
      }
    >
      <div ref={listRef}>{tab === 'rules' ? <RulesView /> : tab === 'notified' ? <GroupsView /> : <SentView />}</div>
    </Page>
  )
}

/** `j` and `k` go from alert to alert; `s` and `a` silence and acknowledge the one that is open. */
function useRowKeys() {
  const ref = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement
      const box = ref.current
      if (box === null || event.ctrlKey || event.metaKey || event.altKey) return
      if (target.closest('input, textarea, select, dialog') !== null) return
      const rows = [...box.querySelectorAll<HTMLElement>('.instance-open')]
      if (event.key === 'j' || event.key === 'k') {
        const at = rows.indexOf(target)
        rows[event.key === 'j' ? Math.min(rows.length - 1, at + 1) : Math.max(0, at - 1)]?.focus()
      } else if (event.key === 's' || event.key === 'a') {
        box.querySelector<HTMLElement>(`[data-key="${event.key}"]`)?.click()
      } else return
      event.preventDefault()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
  return ref
}

interface Arrived {
  readonly alerts: readonly GettableAlert[]
  readonly acknowledgements: readonly Acknowledgement[]
  readonly reload: () => void
}

function useArrived(): Arrived {
  const { data, reload } = useLive(async (abort) => {
    const [alerts, acks] = await Promise.all([notifiedAlerts(abort), acknowledgements(abort)])
    return { alerts, acknowledgements: acks }
  }, [])
  return { alerts: data?.alerts ?? [], acknowledgements: data?.acknowledgements ?? [], reload }
}

function RulesView(): JSX.Element {
  const { data, error, loading } = useLive((abort) => ruleGroups(abort), [])
  const arrived = useArrived()
  const { search } = route.value
  const text = search.get('search') ?? ''
  const chosen = search.get('state') ?? 'all'
  const alerting = (data ?? []).flatMap((group) =>
    group.rules.filter(({ type }) => type === 'alerting').map((rule) => ({ group, rule })),
  )
  const shown = alerting
    .filter(({ rule }) => (chosen === 'all' || stateOf(rule) === chosen) && ruleMentions(rule, text))
    .sort((a, b) => STATES.indexOf(stateOf(a.rule)) - STATES.indexOf(stateOf(b.rule)))
  return (
    <>
      <div class="list-tools">
        <span class="chips" role="group" aria-label="State">
          {(['all', ...STATES] as const).map((state) => (
            <button
              key={state}
              type="button"
              class="chip"
              aria-pressed={chosen === state}
              onClick={() => setParams({ state: state === 'all' ? undefined : state }, { replace: true })}
            >
              {state}{' '}
              <span class="dim">
                {state === 'all' ? alerting.length : alerting.filter(({ rule }) => stateOf(rule) === state).length}
              </span>
            </button>
          ))}
        </span>
        <Filter
          label="Filter by name, label or expression"
          value={text}
          onInput={(value) => setParams({ search: value === '' ? undefined : value }, { replace: true })}
        />
      </div>
      {shown.length === 0 ? (
        <ListState
          error={error}
          loading={loading && data === undefined}
          empty={alerting.length === 0 ? 'There are no alerting rules.' : 'No rule matches.'}
        />
      ) : (
        <ul class="card rule-list">
          {shown.map(({ group, rule }) => (
            <RuleItem
              key={`${group.file} ${group.name} ${rule.name} ${rule.query}`}
              group={group}
              rule={rule}
              arrived={arrived}
            />
          ))}
        </ul>
      )}
    </>
  )
}

function RuleItem({ group, rule, arrived }: { group: RuleGroup; rule: Rule; arrived: Arrived }): JSX.Element {
  const state = stateOf(rule)
  const alerts = rule.alerts ?? []
  const [severity] = [...new Set(alerts.map(({ labels }) => labels.severity))]
  const asked = route.value.search.get('alert')
  const folded = (route.value.search.get('folded') ?? '').split(',').includes(rule.name)
  const opened = (route.value.search.get('opened') ?? '').split(',').includes(rule.name)
  const shown = state === 'firing' ? !folded : opened || alerts.some((alert) => exactMatchers(alert.labels) === asked)
  const toggle = () => {
    const name = state === 'firing' ? 'folded' : 'opened'
    const listed = (route.value.search.get(name) ?? '').split(',').filter((one) => one !== '' && one !== rule.name)
    const add = state === 'firing' ? shown : !shown
    setParams({ [name]: (add ? [...listed, rule.name] : listed).join(',') || undefined }, { replace: true })
  }
  return (
    <li class={`rule rule-${state}`}>
      <button type="button" class="rule-head" aria-expanded={shown} onClick={toggle}>
        <Icon name="chevron" />
        <span class={`state-tag state-${state}`}>{state}</span>
        <span class="rule-name">{rule.name}</span>
        {severity !== undefined && <span class="label">{severity}</span>}
        {alerts.length > 1 && <span class="dim">{`${alerts.length} alerts`}</span>}
        {rule.health === 'err' && <span class="state-tag state-down">evaluation fails</span>}
        {!shown && <code class="rule-preview dim">{rule.query}</code>}
        <span class="rule-group dim">{group.name}</span>
      </button>
      {shown && (
        <div class="rule-body">
          {rule.lastError ? <p class="row-error">{rule.lastError}</p> : null}
          <p class="rule-expr">
            <Link href={queryHref(rule.query)} title="Open in query page">
              <code>{rule.query}</code>
            </Link>
            {rule.duration ? <span class="dim"> for {formatAge(rule.duration)}</span> : null}{' '}
            <Link class="rule-more" href={pageHref('/rules', { rule: rule.name })}>
              Rule and back-test
            </Link>
          </p>
          {alerts.length === 0 ? (
            <p class="dim">Nothing active. Evaluated {formatAgo(rule.lastEvaluation)}.</p>
          ) : (
            <ul class="instance-list">
              {alerts.map((alert) => (
                <Instance key={exactMatchers(alert.labels)} alert={alert} rule={rule} arrived={arrived} />
              ))}
            </ul>
          )}
        </div>
      )}
    </li>
  )
}

function Instance({ alert, rule, arrived }: { alert: ActiveAlert; rule: Rule; arrived: Arrived }): JSX.Element {
  const found = arrivedAlert(alert.labels, arrived.alerts)
  const activeMs = alert.activeAt === undefined ? Number.NaN : Date.now() - Date.parse(alert.activeAt)
  return (
    <AlertRow
      labels={alert.labels}
      without={['alertname']}
      annotations={alert.annotations}
      state={alert.state}
      value={formatValue(Number(alert.value), 'short')}
      age={formatAge(activeMs / 1000)}
      expr={rule.query}
      found={found}
      arrived={arrived}
    />
  )
}

interface RowProps {
  labels: LabelSet
  without: readonly string[]
  annotations: LabelSet
  state: string
  value: string
  age: string
  expr: string | undefined
  found: GettableAlert | undefined
  arrived: Arrived
}

/** One line; the whole story below once it is opened, which the address remembers. */
function AlertRow({ labels, without, annotations, state, value, age, expr, found, arrived }: RowProps): JSX.Element {
  const key = exactMatchers(labels)
  const open = route.value.search.get('alert') === key
  return (
    <li class="instance">
      <div class="instance-line">
        <button
          type="button"
          class="instance-open"
          aria-expanded={open}
          aria-label={`Details of ${labels.alertname ?? 'the alert'} ${key}`}
          onClick={() => setParams({ alert: open ? undefined : key }, { replace: true })}
        >
          <Icon name="chevron" />
        </button>
        <span class="instance-states">
          <span class={`state-tag state-${state}`}>{state}</span>
          <FateTag alert={found} acknowledged={acknowledgementOf(labels, arrived.acknowledgements)} />
        </span>
        <span class="instance-what">
          <Annotations annotations={annotations} />
          <Labels labels={labels} without={without} />
        </span>
        <span class="num instance-value">{value}</span>
        <span class="num dim">{age}</span>
      </div>
      {open && (
        <AlertDetail labels={labels} expr={expr} arrived={found} alerts={arrived.alerts} onChanged={arrived.reload} />
      )}
    </li>
  )
}

function GroupsView(): JSX.Element {
  const arrived = useArrived()
  const { search } = route.value
  const filterText = search.get('filter') ?? ''
  const receiver = search.get('receiver') ?? undefined
  const parsed = parseAlertMatchers(filterText)
  const matchers = Array.isArray(parsed) ? parsed.map(formatAlertMatcher) : []
  const { data, error, loading } = useLive((abort) => alertGroups(matchers, receiver, abort), [matchers, receiver])
  const receivers = useLive((abort) => receiverNames(abort), [], { live: false })
  const addMatcher = (name: string, value: string) => {
    const added = formatAlertMatcher({ name, value, isRegex: false, isEqual: true })
    setParams({ filter: [...new Set([...matchers, added])].join(',') })
  }
  const groups = (data ?? []).filter(({ alerts }) => alerts.length > 0)
  return (
    <>
      <div class="list-tools">
        <label class="inline-field">
          Receiver
          <select
            class="control"
            value={receiver ?? ''}
            onChange={(event) => setParams({ receiver: event.currentTarget.value || undefined })}
          >
            <option value="">any</option>
            {[...new Set([...(receivers.data ?? []), ...(receiver === undefined ? [] : [receiver])])].map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <Filter
          label={'Matchers: severity="critical", job=~"a.*"'}
          value={filterText}
          onInput={(text) => setParams({ filter: text === '' ? undefined : text }, { replace: true })}
        />
      </div>
      {!Array.isArray(parsed) && <p class="notice notice-warn">{parsed.error}</p>}
      {groups.length === 0 ? (
        <ListState error={error} loading={loading && data === undefined} empty="No alert is being notified." />
      ) : (
        groups.map((group) => (
          <GroupCard
            key={`${group.receiver.name} ${JSON.stringify(group.labels)}`}
            group={group}
            arrived={arrived}
            onPick={addMatcher}
          />
        ))
      )}
    </>
  )
}

interface GroupProps {
  group: AlertGroup
  arrived: Arrived
  onPick: (name: string, value: string) => void
}

function GroupCard({ group, arrived, onPick }: GroupProps): JSX.Element {
  const grouped = Object.keys(group.labels)
  return (
    <section class="card">
      <h2 class="card-title">
        {grouped.length === 0 ? <span class="dim">not grouped</span> : <Labels labels={group.labels} onPick={onPick} />}
        <span class="dim">to {group.receiver.name}</span>
        <span class="dim">{`${group.alerts.length} ${group.alerts.length === 1 ? 'alert' : 'alerts'}`}</span>
      </h2>
      <ul class="instance-list">
        {group.alerts.map((alert) => (
          <AlertRow
            key={alert.fingerprint}
            labels={alert.labels}
            without={grouped}
            annotations={alert.annotations}
            state={alert.status.state === 'suppressed' ? 'inactive' : 'firing'}
            value=""
            age={formatAgo(alert.startsAt)}
            expr={sourceExpr(alert.generatorURL)}
            found={alert}
            arrived={arrived}
          />
        ))}
      </ul>
    </section>
  )
}

/** The expression that the alert's link leads to. */
function sourceExpr(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined
  return new URL(url).searchParams.get('g0.expr') ?? undefined
}

function stateOf(rule: Rule): AlertState {
  return rule.state ?? 'inactive'
}

function ruleMentions(rule: Rule, text: string): boolean {
  const wanted = text.toLowerCase()
  const parts = [
    rule.name,
    rule.query,
    ...(rule.alerts ?? []).flatMap(({ labels }) => Object.entries(labels).map(([name, value]) => `${name}="${value}"`)),
  ]
  return parts.some((part) => part.toLowerCase().includes(wanted))
}
