// What batch jobs have pushed: how old, in what rhythm, what was refused; and taking a group away.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { formatSeries } from '../../model/series-name.ts'
import { formatAge, formatValue } from '../../model/units.ts'
import { deletePushGroup, type PushEvent, type PushGroup, pushGroups } from '../api/push.ts'
import { formatAgo, formatInstant } from '../shell/format.ts'
import { Icon } from '../shell/icons.tsx'
import { Labels } from '../shell/labels.tsx'
import { Filter, ListState, Page } from '../shell/page.tsx'
import { useLive } from '../state/live.ts'
import { route, setParams } from '../state/route.ts'
import { timeZone } from '../state/time.ts'
import '../style/ops.css'

const OLD_SECONDS = 86_400
const EVENTS_MAX = 12

export function PushPage(): JSX.Element {
  const { data, error, loading, reload } = useLive((abort) => pushGroups(abort), [])
  const { search } = route.value
  const text = search.get('search') ?? ''
  const only = search.get('only') ?? 'all'
  const all = data ?? []
  const kinds: Readonly<Record<string, (group: PushGroup) => boolean>> = {
    all: () => true,
    overdue: ({ overdue }) => overdue,
    failed: ({ lastPushSuccessful }) => !lastPushSuccessful,
  }
  const shown = all
    .filter(kinds[only] ?? kinds.all!)
    .filter(({ labels }) => JSON.stringify(labels).toLowerCase().includes(text.toLowerCase()))
    .sort((a, b) => pushedAtMs(b) - pushedAtMs(a))
  return (
    <Page
      title="Pushed groups"
      tools={
        <>
          <span class="chips" role="group" aria-label="Groups">
            {Object.entries(kinds).map(([name, fits]) => (
              <button
                key={name}
                type="button"
                class="chip"
                aria-pressed={only === name}
                onClick={() => setParams({ only: name === 'all' ? undefined : name }, { replace: true })}
              >
                {name} <span class="dim">{all.filter(fits).length}</span>
              </button>
            ))}
          </span>
          <Filter
            label="Filter by label"
            value={text}
            onInput={(value) => setParams({ search: value || undefined }, { replace: true })}
          />
        </>
      }
    >
      {shown.length === 0 ? (
        <ListState
          error={error}
          loading={loading && data === undefined}
          empty={
            all.length > 0
              ? 'No group matches.'
              : 'Nothing has been pushed. Batch jobs send to /pushgateway/metrics/job/NAME; their last values stay here and are scraped.'
          }
        />
      ) : (
        <ul class="card rule-list">
          {shown.map((group) => (
            <GroupItem key={JSON.stringify(group.labels)} group={group} onDeleted={reload} />
          ))}
        </ul>
      )}
    </Page>
  )
}

const pushedAtMs = ({ lastPushTime }: PushGroup): number => (lastPushTime === null ? 0 : Date.parse(lastPushTime))

function GroupItem({ group, onDeleted }: { group: PushGroup; onDeleted: () => void }): JSX.Element {
  const key = JSON.stringify(group.labels)
  const open = route.value.search.get('group') === key
  const ageSeconds = (Date.now() - pushedAtMs(group)) / 1000
  const { usualIntervalSeconds } = group
  return (
    <li class="rule">
      <button
        type="button"
        class="rule-head"
        aria-expanded={open}
        onClick={() => setParams({ group: open ? undefined : key }, { replace: true })}
      >
        <Icon name="chevron" />
        {!group.lastPushSuccessful ? (
          <span class="state-tag state-down">last push failed</span>
        ) : group.overdue ? (
          <span class="state-tag state-pending">overdue</span>
        ) : (
          <span class="state-tag state-up">ok</span>
        )}
        <Labels labels={group.labels} />
        <span class="dim">{`${group.metricCount} ${group.metricCount === 1 ? 'metric' : 'metrics'}`}</span>
        {usualIntervalSeconds !== null && (
          <span class={group.overdue ? 'cell-warn' : 'dim'}>
            {group.overdue
              ? `usually every ${formatAge(usualIntervalSeconds)}, now silent for ${formatAge(ageSeconds)}`
              : `every ${formatAge(usualIntervalSeconds)}`}
          </span>
        )}
        <span class={`rule-group ${ageSeconds > OLD_SECONDS ? 'cell-warn' : 'dim'}`}>
          {group.lastPushTime === null ? 'never pushed' : `pushed ${formatAge(ageSeconds)} ago`}
        </span>
      </button>
      {open && <GroupBody group={group} onDeleted={onDeleted} />}
    </li>
  )
}

function GroupBody({ group, onDeleted }: { group: PushGroup; onDeleted: () => void }): JSX.Element {
  const families = Object.entries(group.families).sort(([a], [b]) => (a < b ? -1 : 1))
  const facts = [
    `${group.pushCount} pushes`,
    `${formatValue(group.pageCharacters, 'bytes')} of text`,
    ...(group.lastFailureTime === null ? [] : [`last failure ${formatAgo(group.lastFailureTime)}`]),
    group.expiresAt === null
      ? 'kept until it is deleted'
      : `goes by itself in ${formatAge((Date.parse(group.expiresAt) - Date.now()) / 1000)}`,
  ]
  return (
    <div class="rule-body">
      <p class="push-facts dim">
        {facts.map((fact) => (
          <span key={fact}>{fact}</span>
        ))}
      </p>
      <div class="push-columns">
        <section aria-label="Values">
          <h3>Values</h3>
          <div class="table-scroll" tabIndex={0} role="group" aria-label="Values of the group">
            <table class="grid">
              <tbody>
                {families.flatMap(([name, family]) =>
                  family.metrics.map((metric) => (
                    <tr key={`${name} ${JSON.stringify(metric.labels)}`}>
                      <td class="series-cell">
                        <code title={family.help}>
                          {formatSeries({ ...own(metric.labels, group), __name__: name })}
                        </code>
                      </td>
                      <td class="dim">{family.type.toLowerCase()}</td>
                      <td class="num">
                        {metric.value === undefined
                          ? `count ${metric.count ?? '–'}, sum ${metric.sum ?? '–'}`
                          : plain(metric.value)}
                      </td>
                    </tr>
                  )),
                )}
              </tbody>
            </table>
          </div>
        </section>
        <section aria-label="Last pushes">
          <h3>Last pushes</h3>
          <Events events={group.events} />
        </section>
      </div>
      <DeleteButton group={group} onDeleted={onDeleted} />
    </div>
  )
}

/** `2.18e+09` as people write it. */
function plain(value: string): string {
  return Number.isFinite(Number(value)) ? String(Number(value)) : value
}

/** The group's labels are above; a metric's own tell it from the others. */
function own(labels: PushGroup['labels'], group: PushGroup): PushGroup['labels'] {
  return Object.fromEntries(
    Object.entries(labels).filter(
      ([name, value]) => group.labels[name] !== value && !(name === 'instance' && value === ''),
    ),
  )
}

function Events({ events }: { events: readonly PushEvent[] }): JSX.Element {
  if (events.length === 0) return <p class="dim">None is remembered.</p>
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label="Last pushes of the group">
      <table class="grid">
        <tbody>
          {events
            .slice(-EVENTS_MAX)
            .reverse()
            .map((event) => (
              <tr key={event.time}>
                <td class="nowrap" title={formatAgo(event.time)}>
                  {formatInstant(Date.parse(event.time), timeZone.value)}
                </td>
                <td>{event.method}</td>
                <td class="dim">{event.sender}</td>
                <td class="num">{formatValue(event.bytes, 'bytes')}</td>
                <td>{event.refusal !== null && <span class="row-error">{event.refusal}</span>}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  )
}

/** Asks once more: what is deleted is gone until the job pushes again. */
function DeleteButton({ group, onDeleted }: { group: PushGroup; onDeleted: () => void }): JSX.Element {
  const [asked, setAsked] = useState(false)
  const [failure, setFailure] = useState<string | undefined>(undefined)
  const remove = () => {
    deletePushGroup(group.labels).then(onDeleted, (thrown: unknown) =>
      setFailure(thrown instanceof Error ? thrown.message : String(thrown)),
    )
  }
  return (
    <p class="actions push-actions">
      {asked ? (
        <>
          <button type="button" class="button small danger" onClick={remove}>
            Delete the group now?
          </button>
          <button type="button" class="button small" onClick={() => setAsked(false)}>
            Keep it
          </button>
        </>
      ) : (
        <button type="button" class="button small" onClick={() => setAsked(true)}>
          Delete
        </button>
      )}
      {failure !== undefined && <span class="row-error">{failure}</span>}
    </p>
  )
}
