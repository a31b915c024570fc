// What the rules say, and what became of it in the Alertmanager.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { formatAlertMatcher, parseAlertMatchers } from '../../model/alert-matchers.ts'
import type { LabelSet } from '../../model/frame.ts'
import { formatAge, formatValue } from '../../model/units.ts'
import { type AlertGroup, alertGroups, type GettableAlert, receiverNames } from '../api/alertmanager.ts'
import { type ActiveAlert, type Rule, type RuleGroup, ruleGroups } from '../api/prometheus.ts'
import { formatAgo } from '../shell/format.ts'
import { Icon } from '../shell/icons.tsx'
import { Labels } from '../shell/labels.tsx'
import { Link } from '../shell/link.tsx'
import { Filter, ListState, Page } from '../shell/page.tsx'
import { useLive } from '../state/live.ts'
import { pageHref, route, setParams } from '../state/route.ts'

const STATES = ['firing', 'pending', 'inactive'] as const
type AlertState = (typeof STATES)[number]

export function AlertsPage(): JSX.Element {
  const tab = route.value.search.get('tab') === 'notified' ? 'notified' : 'rules'
  return (
    <Page
      title="Alerts"
      tools={
        <span class="chips" role="group" aria-label="View">
          <button
            type="button"
            class="chip"
            aria-pressed={tab === 'rules'}
            onClick={() => setParams({ tab: undefined })}
          >
            By rule
          </button>
          <button
            type="button"
            class="chip"
            aria-pressed={tab === 'notified'}
            onClick={() => setParams({ tab: 'notified' })}
          >
            By notification group
          </button>
        </span>
      }
    >
      {tab === 'rules' ? <RulesView /> : <GroupsView />}
    </Page>
  )
}

function RulesView(): JSX.Element {
  const { data, error, loading } = useLive((abort) => ruleGroups(abort), [])
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
            <RuleItem key={`${group.file} ${group.name} ${rule.name} ${rule.query}`} group={group} rule={rule} />
          ))}
        </ul>
      )}
    </>
  )
}

function RuleItem({ group, rule }: { group: RuleGroup; rule: Rule }): JSX.Element {
  const state = stateOf(rule)
  const alerts = rule.alerts ?? []
  const [open, setOpen] = useState<boolean | undefined>(undefined)
  const shown = open ?? state === 'firing'
  return (
    <li class="rule">
      <button type="button" class="rule-head" aria-expanded={shown} onClick={() => setOpen(!shown)}>
        <Icon name="chevron" />
        <span class={`state-tag state-${state}`}>{state}</span>
        <span class="rule-name">{rule.name}</span>
        {alerts.length > 0 && (
          <span class="dim">{`${alerts.length} ${alerts.length === 1 ? 'instance' : 'instances'}`}</span>
        )}
        {rule.health === 'err' && <span class="state-tag state-down">evaluation fails</span>}
        {!shown && <code class="rule-preview dim">{rule.query}</code>}
        <span class="rule-group dim">{group.name}</span>
      </button>
      {shown && (
        <div class="rule-body">
          <p class="rule-expr">
            <Link href={queryHref(rule.query)} title="Open in query page">
              <code>{rule.query}</code>
            </Link>
            {rule.duration ? <span class="dim"> for {formatAge(rule.duration)}</span> : null}
          </p>
          {rule.lastError ? <p class="row-error">{rule.lastError}</p> : null}
          {alerts.length === 0 ? (
            <p class="dim">Nothing active. Evaluated {formatAgo(rule.lastEvaluation)}.</p>
          ) : (
            <div class="table-scroll">
              <table class="grid instances">
                <thead>
                  <tr>
                    <th scope="col">State</th>
                    <th scope="col">Labels</th>
                    <th scope="col">Says</th>
                    <th scope="col" class="num">
                      Since
                    </th>
                    <th scope="col" class="num">
                      Value
                    </th>
                    <th scope="col">
                      <span class="sr-only">Actions</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {alerts.map((alert) => (
                    <InstanceRow key={JSON.stringify(alert.labels)} alert={alert} />
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </div>
      )}
    </li>
  )
}

function InstanceRow({ alert }: { alert: ActiveAlert }): JSX.Element {
  const activeMs = alert.activeAt === undefined ? Number.NaN : Date.now() - Date.parse(alert.activeAt)
  return (
    <tr>
      <td>
        <span class={`state-tag state-${alert.state}`}>{alert.state}</span>
      </td>
      <td>
        <Labels labels={alert.labels} without={['alertname']} />
      </td>
      <td>
        <Annotations annotations={alert.annotations} />
      </td>
      <td class="num">{formatAge(activeMs / 1000)}</td>
      <td class="num">{formatValue(Number(alert.value), 'short')}</td>
      <td class="num">
        <SilenceLink labels={alert.labels} />
      </td>
    </tr>
  )
}

function GroupsView(): JSX.Element {
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
          <GroupCard key={`${group.receiver.name} ${JSON.stringify(group.labels)}`} group={group} onPick={addMatcher} />
        ))
      )}
    </>
  )
}

function GroupCard({
  group,
  onPick,
}: {
  group: AlertGroup
  onPick: (name: string, value: string) => void
}): JSX.Element {
  const grouped = Object.keys(group.labels)
  return (
    <section class="card">
      <h2 class="card-title">
        {grouped.length === 0 ? <span class="dim">not grouped</span> : <Labels labels={group.labels} onPick={onPick} />}
        <span class="dim">to {group.receiver.name}</span>
      </h2>
      <div class="table-scroll">
        <table class="grid instances">
          <tbody>
            {group.alerts.map((alert) => (
              <tr key={alert.fingerprint}>
                <td>
                  <SuppressionTag alert={alert} />
                </td>
                <td>
                  <Labels labels={alert.labels} without={grouped} onPick={onPick} />
                </td>
                <td>
                  <Annotations annotations={alert.annotations} />
                </td>
                <td class="num">{formatAgo(alert.startsAt)}</td>
                <td class="num actions">
                  {alert.generatorURL !== undefined && /^https?:/.test(alert.generatorURL) && (
                    <a href={alert.generatorURL} rel="noreferrer">
                      source
                    </a>
                  )}
                  <SilenceLink labels={alert.labels} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function SuppressionTag({ alert: { status } }: { alert: GettableAlert }): JSX.Element {
  const [silence] = status.silencedBy
  if (silence !== undefined) {
    return (
      <Link class="state-tag state-silenced" href={pageHref('/silences', { id: silence })}>
        silenced
      </Link>
    )
  }
  if (status.inhibitedBy.length > 0) return <span class="state-tag state-silenced">inhibited</span>
  if (status.mutedBy !== undefined && status.mutedBy.length > 0)
    return <span class="state-tag state-silenced">muted</span>
  return status.state === 'unprocessed' ? (
    <span class="state-tag state-pending">waiting</span>
  ) : (
    <span class="state-tag state-firing">active</span>
  )
}

function Annotations({ annotations }: { annotations: LabelSet }): JSX.Element {
  const { summary, description, message, ...others } = annotations
  const texts = [summary, message, description].filter((text): text is string => text !== undefined && text !== '')
  return (
    <div class="annotations">
      {texts.map((text, i) => (
        <p key={i} class={i === 0 ? '' : 'dim'}>
          {text}
        </p>
      ))}
      {Object.entries(others).map(([name, value]) => (
        <p key={name} class="dim">
          {name}:{' '}
          {/^https?:\/\//.test(value) ? (
            <a href={value} rel="noreferrer" target="_blank">
              {value}
            </a>
          ) : (
            value
          )}
        </p>
      ))}
    </div>
  )
}

function SilenceLink({ labels }: { labels: LabelSet }): JSX.Element {
  const filter = Object.entries(labels)
    .map(([name, value]) => formatAlertMatcher({ name, value, isRegex: false, isEqual: true }))
    .join(',')
  return (
    <Link class="button small" href={pageHref('/silences', { new: '1', filter: `{${filter}}` })}>
      <Icon name="mute" /> Silence
    </Link>
  )
}

function stateOf(rule: Rule): AlertState {
  return rule.state ?? 'inactive'
}

function queryHref(expr: string): string {
  return pageHref('/query', new URLSearchParams({ 'g0.expr': expr, 'g0.tab': 'graph' }))
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
