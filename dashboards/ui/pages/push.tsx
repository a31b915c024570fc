import type { JSX } from 'preact'
import { formatAge } from '../../model/units.ts'
import { formatSeries } from '../../model/series-name.ts'
import { type PushGroup, pushGroups } from '../api/alertmanager.ts'
import { Icon } from '../shell/icons.tsx'
import { Labels } from '../shell/labels.tsx'
import { Filter, ListState, Page } from '../shell/page.tsx'
import { useLive } from '../state/live.ts'
import { route, setParams } from '../state/route.ts'
import { useState } from 'preact/hooks'

const OLD_SECONDS = 86_400

export function PushPage(): JSX.Element {
  const { data, error, loading } = useLive((abort) => pushGroups(abort), [])
  const text = route.value.search.get('search') ?? ''
  const shown = (data ?? [])
    .filter(({ labels }) => JSON.stringify(labels).toLowerCase().includes(text.toLowerCase()))
    .sort((a, b) => b.pushedAtMs - a.pushedAtMs)
  return (
    <Page
      title="Pushed groups"
      tools={
        <Filter
          label="Filter by label"
          value={text}
          onInput={(value) => setParams({ search: value || undefined }, { replace: true })}
        />
      }
    >
      {shown.length === 0 ? (
        <ListState
          error={error}
          loading={loading && data === undefined}
          empty={
            data?.length
              ? 'No group matches.'
              : 'Nothing has been pushed. Batch jobs send to /pushgateway/metrics/job/NAME; their last values stay here and are scraped.'
          }
        />
      ) : (
        <ul class="card rule-list">
          {shown.map((group) => (
            <GroupItem key={JSON.stringify(group.labels)} group={group} />
          ))}
        </ul>
      )}
    </Page>
  )
}

function GroupItem({ group }: { group: PushGroup }): JSX.Element {
  const [open, setOpen] = useState(false)
  const ageSeconds = (Date.now() - group.pushedAtMs) / 1000
  const families = Object.entries(group.families).sort(([a], [b]) => (a < b ? -1 : 1))
  return (
    <li class="rule">
      <button type="button" class="rule-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="chevron" />
        <span class={`state-tag state-${group.lastPushSuccessful ? 'up' : 'down'}`}>
          {group.lastPushSuccessful ? 'ok' : 'last push failed'}
        </span>
        <Labels labels={group.labels} />
        <span class="dim">{`${families.length} ${families.length === 1 ? 'metric' : 'metrics'}`}</span>
        <span class={`rule-group ${ageSeconds > OLD_SECONDS ? 'cell-warn' : 'dim'}`}>
          {group.pushedAtMs === 0 ? 'never pushed' : `pushed ${formatAge(ageSeconds)} ago`}
        </span>
      </button>
      {open && (
        <div class="rule-body table-scroll">
          <table class="grid">
            <tbody>
              {families.flatMap(([name, family]) =>
                family.metrics.map((metric) => (
                  <tr key={`${name} ${JSON.stringify(metric.labels)}`}>
                    <td>
                      <code title={family.help}>{formatSeries({ ...metric.labels, __name__: name })}</code>
                    </td>
                    <td class="dim">{family.type.toLowerCase()}</td>
                    <td class="num">{metric.value ?? `count ${metric.count ?? '–'}, sum ${metric.sum ?? '–'}`}</td>
                  </tr>
                )),
              )}
            </tbody>
          </table>
        </div>
      )}
    </li>
  )
}
