// What has been sent, newest first: to whom, why, and what the other side answered.
import type { JSX } from 'preact'
import { type Sent, sentNotifications } from '../api/alerting.ts'
import { formatAgo, formatInstant } from '../shell/format.ts'
import { Labels } from '../shell/labels.tsx'
import { Filter, ListState } from '../shell/page.tsx'
import { useLive } from '../state/live.ts'
import { route, setParams } from '../state/route.ts'
import { timeZone } from '../state/time.ts'

export function SentView(): JSX.Element {
  const text = route.value.search.get('search') ?? ''
  const outcome = route.value.search.get('outcome') ?? ''
  const { data, error, loading } = useLive(
    (abort) => sentNotifications({ limit: '200', ...(text && { q: text }), ...(outcome && { outcome }) }, abort),
    [text, outcome],
  )
  return (
    <>
      <div class="list-tools">
        <span class="chips" role="group" aria-label="Outcome">
          {['', 'delivered', 'failed'].map((name) => (
            <button
              key={name}
              type="button"
              class="chip"
              aria-pressed={outcome === name}
              onClick={() => setParams({ outcome: name || undefined }, { replace: true })}
            >
              {name || 'all'}
            </button>
          ))}
        </span>
        <Filter
          label="Filter by label, reason, answer or error"
          value={text}
          onInput={(value) => setParams({ search: value || undefined }, { replace: true })}
        />
      </div>
      {data === undefined || data.length === 0 ? (
        <ListState
          error={error}
          loading={loading && data === undefined}
          empty={text || outcome ? 'Nothing sent matches.' : 'Nothing has been sent yet.'}
        />
      ) : (
        <div class="card">
          <SentTable sent={data} withGroup />
        </div>
      )}
    </>
  )
}

export function SentTable({ sent, withGroup = false }: { sent: readonly Sent[]; withGroup?: boolean }): JSX.Element {
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label="Sent notifications">
      <table class="grid">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Outcome</th>
            {withGroup && <th scope="col">Group</th>}
            <th scope="col">To</th>
            <th scope="col">Why</th>
            <th scope="col" class="num">
              Alerts
            </th>
            <th scope="col" class="num">
              Took
            </th>
            <th scope="col">Answer</th>
          </tr>
        </thead>
        <tbody>
          {sent.map((one) => (
            <tr key={`${one.at} ${one.groupKey} ${one.integration} ${one.index}`}>
              <td class="nowrap" title={formatAgo(one.at)}>
                {formatInstant(Date.parse(one.at), timeZone.value)}
              </td>
              <td>
                <span class={`state-tag state-${one.outcome === 'delivered' ? 'up' : 'down'}`}>{one.outcome}</span>
              </td>
              {withGroup && (
                <td>
                  <Labels labels={one.groupLabels} />
                </td>
              )}
              <td class="nowrap">{`${one.receiver} · ${one.integration}`}</td>
              <td>{one.reason}</td>
              <td class="num">
                {`${one.firingCount} firing${one.resolvedCount > 0 ? `, ${one.resolvedCount} resolved` : ''}`}
              </td>
              <td class="num">{`${Math.round(one.durationMs)} ms${one.attempts > 1 ? ` (${one.attempts} tries)` : ''}`}</td>
              <td class="answer">{one.error === '' ? one.detail : <span class="row-error">{one.error}</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
