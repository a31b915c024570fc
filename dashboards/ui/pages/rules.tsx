// Rule groups: are they evaluated, in time, without a fault; and what each rule would have done in the past.
import type { JSX } from 'preact'
import { formatAge, formatValue } from '../../model/units.ts'
import { type Rule, type RuleGroup, ruleGroups } from '../api/prometheus.ts'
import { formatAgo } from '../shell/format.ts'
import { Icon } from '../shell/icons.tsx'
import { Labels } from '../shell/labels.tsx'
import { Link } from '../shell/link.tsx'
import { Filter, ListState, Page } from '../shell/page.tsx'
import { useLive } from '../state/live.ts'
import { pageHref, route, setParams } from '../state/route.ts'
import { AlertGraph } from './alert-graph.tsx'
import { Annotations, queryHref } from './alert-parts.tsx'
import { BackTestView } from './back-test.tsx'
import '../style/ops.css'

/** Shares of the interval that an evaluation may take. */
const SLOW_SHARE = 0.5

export function RulesPage(): JSX.Element {
  const { data, error, loading } = useLive((abort) => ruleGroups(abort), [])
  const { search } = route.value
  const text = search.get('search') ?? ''
  const kind = search.get('type') ?? 'all'
  const groups = (data ?? [])
    .map((group) => ({ ...group, rules: group.rules.filter((rule) => fits(rule, group, text, kind)) }))
    .filter(({ rules }) => rules.length > 0)
  return (
    <Page
      title="Rules"
      tools={
        <>
          <span class="chips" role="group" aria-label="Kind">
            {['all', 'alerting', 'recording', 'failing'].map((name) => (
              <button
                key={name}
                type="button"
                class="chip"
                aria-pressed={kind === name}
                onClick={() => setParams({ type: name === 'all' ? undefined : name }, { replace: true })}
              >
                {name}
              </button>
            ))}
          </span>
          <Filter
            label="Filter by name, expression, group or file"
            value={text}
            onInput={(value) => setParams({ search: value || undefined }, { replace: true })}
          />
        </>
      }
    >
      {groups.length === 0 ? (
        <ListState
          error={error}
          loading={loading && data === undefined}
          empty={
            data?.length
              ? 'No rule matches.'
              : 'There are no rules. Name their files under rule_files in the configuration.'
          }
        />
      ) : (
        groups.map((group) => <Group key={`${group.file} ${group.name}`} group={group} />)
      )}
    </Page>
  )
}

function fits(rule: Rule, group: RuleGroup, text: string, kind: string): boolean {
  const wanted = text.toLowerCase()
  const mentioned = [rule.name, rule.query, group.name, group.file].some((part) => part.toLowerCase().includes(wanted))
  return mentioned && (kind === 'all' || (kind === 'failing' ? rule.health === 'err' : rule.type === kind))
}

function Group({ group }: { group: RuleGroup }): JSX.Element {
  const slow = group.evaluationTime > group.interval * SLOW_SHARE
  return (
    <section class="card" aria-label={group.name}>
      <h2 class="card-title">
        {group.name}
        <span class="dim group-file">{group.file}</span>
        <span class={`group-times ${slow ? 'cell-warn' : 'dim'}`}>
          {`every ${formatAge(group.interval)}, took ${formatValue(group.evaluationTime, 's')}, ${formatAgo(group.lastEvaluation)}`}
        </span>
      </h2>
      <ul>
        {group.rules.map((rule) => (
          <RuleRow key={`${rule.type} ${rule.name} ${rule.query}`} rule={rule} group={group} />
        ))}
      </ul>
    </section>
  )
}

function RuleRow({ rule, group }: { rule: Rule; group: RuleGroup }): JSX.Element {
  const open = route.value.search.get('rule') === rule.name
  const alerting = rule.type === 'alerting'
  return (
    <li class="rule">
      <button
        type="button"
        class="rule-head"
        aria-expanded={open}
        onClick={() => setParams({ rule: open ? undefined : rule.name }, { replace: true })}
      >
        <Icon name="chevron" />
        {alerting ? (
          <span class={`state-tag state-${rule.state ?? 'inactive'}`}>{rule.state ?? 'inactive'}</span>
        ) : (
          <span class="state-tag state-record">record</span>
        )}
        <span class="rule-name">{rule.name}</span>
        {rule.health === 'err' && <span class="state-tag state-down">fails</span>}
        {!open && <code class="rule-preview dim">{rule.query}</code>}
        <span class="rule-group dim num">{formatValue(rule.evaluationTime, 's')}</span>
      </button>
      {open && (
        <div class="rule-body rule-open">
          {rule.lastError ? (
            <p class="row-error" role="alert">
              {rule.lastError}
            </p>
          ) : null}
          <pre class="rule-text">{rule.query}</pre>
          <p class="rule-facts">
            {alerting && <span class="dim">{rule.duration ? `for ${formatAge(rule.duration)}` : 'fires at once'}</span>}
            {Object.keys(rule.labels ?? {}).length > 0 && <Labels labels={rule.labels ?? {}} />}
            <span class="dim">{`evaluated ${formatAgo(rule.lastEvaluation)}`}</span>
            <Link href={queryHref(alerting ? rule.query : rule.name)}>Open in query page</Link>
            {alerting && (rule.alerts?.length ?? 0) > 0 && (
              <Link href={pageHref('/alerts', { search: rule.name })}>{`${rule.alerts!.length} active`}</Link>
            )}
          </p>
          {rule.annotations !== undefined && <Annotations annotations={rule.annotations} />}
          {alerting && <BackTestView rule={rule} intervalSeconds={group.interval} />}
          <AlertGraph expr={alerting ? rule.query : rule.name} id={`rule-${rule.name}`} />
        </div>
      )}
    </li>
  )
}
