// Silences: those in force, what they quiet, and ending one early.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { type AlertMatcher, formatAlertMatcher } from '../../model/alert-matchers.ts'
import { formatAge } from '../../model/units.ts'
import { expireSilence, type GettableAlert, notifiedAlerts, type Silence, silences } from '../api/alertmanager.ts'
import { formatAgo, formatInstant } from '../shell/format.ts'
import { Icon } from '../shell/icons.tsx'
import { Labels } from '../shell/labels.tsx'
import { ListState, Page } from '../shell/page.tsx'
import { useLive } from '../state/live.ts'
import { route, setParams } from '../state/route.ts'
import { timeZone } from '../state/time.ts'
import { matchersOf, SilenceForm } from './silence-form.tsx'

const PREVIEW_MAX = 20
const STATES = ['active', 'pending', 'expired'] as const

export function SilencesPage(): JSX.Element {
  const list = useLive((abort) => silences(abort), [])
  const alerts = useLive((abort) => notifiedAlerts(abort), [])
  const { search } = route.value
  const editId = search.get('edit')
  const edited = editId === null ? undefined : list.data?.find(({ id }) => id === editId)
  const forming = search.has('new') || edited !== undefined
  const state = search.get('state') ?? (search.has('id') ? 'all' : 'active')
  const wantedId = search.get('id')
  const shown = (list.data ?? []).filter(
    (silence) => (wantedId === null || silence.id === wantedId) && (state === 'all' || silence.status.state === state),
  )
  return (
    <Page
      title="Silences"
      tools={
        <>
          <span class="chips" role="group" aria-label="State">
            {STATES.map((name) => (
              <button
                key={name}
                type="button"
                class="chip"
                aria-pressed={state === name}
                onClick={() => setParams({ state: name, id: undefined })}
              >
                {name} <span class="dim">{(list.data ?? []).filter(({ status }) => status.state === name).length}</span>
              </button>
            ))}
          </span>
          {!forming && (
            <button type="button" class="button primary" onClick={() => setParams({ new: '1' })}>
              <Icon name="plus" /> New silence
            </button>
          )}
        </>
      }
    >
      {forming && (
        <SilenceForm
          key={editId ?? search.get('filter') ?? ''}
          edited={edited}
          filter={search.get('filter') ?? ''}
          alerts={alerts.data ?? []}
          onDone={() => {
            setParams({ new: undefined, edit: undefined, filter: undefined, state: undefined })
            list.reload()
            alerts.reload()
          }}
          onCancel={() => setParams({ new: undefined, edit: undefined, filter: undefined })}
        />
      )}
      {shown.length === 0 ? (
        <ListState
          error={list.error}
          loading={list.loading && list.data === undefined}
          empty={`No ${state === 'all' ? '' : state} silences.`}
        />
      ) : (
        shown.map((silence) => (
          <SilenceCard key={silence.id} silence={silence} alerts={alerts.data ?? []} onChanged={list.reload} />
        ))
      )}
    </Page>
  )
}

interface CardProps {
  silence: Silence
  alerts: readonly GettableAlert[]
  onChanged: () => void
}

function SilenceCard({ silence, alerts, onChanged }: CardProps): JSX.Element {
  const [failure, setFailure] = useState<string | undefined>(undefined)
  const [asked, setAsked] = useState(false)
  const { id, status, createdBy, comment, startsAt, endsAt } = silence
  const quiets = alerts.filter((alert) => alert.status.silencedBy.includes(id))
  const expire = () => {
    expireSilence(id).then(
      () => {
        setAsked(false)
        onChanged()
      },
      (thrown: unknown) => setFailure(thrown instanceof Error ? thrown.message : String(thrown)),
    )
  }
  const leftSeconds = (Date.parse(endsAt) - Date.now()) / 1000
  const when =
    status.state === 'active'
      ? `ends in ${formatAge(leftSeconds)}`
      : status.state === 'pending'
        ? `starts in ${formatAge((Date.parse(startsAt) - Date.now()) / 1000)}`
        : `ended ${formatAgo(endsAt)}`
  return (
    <section class="card silence">
      <div class="silence-head">
        <span class={`state-tag state-silence-${status.state}`}>{status.state}</span>
        <Matchers matchers={matchersOf(silence)} />
        <span class="actions">
          <button type="button" class="button small" onClick={() => setParams({ edit: id, new: undefined })}>
            {status.state === 'expired' ? 'Silence again' : 'Edit'}
          </button>
          {status.state !== 'expired' &&
            (asked ? (
              <button type="button" class="button small danger" onClick={expire}>
                End it now?
              </button>
            ) : (
              <button type="button" class="button small" onClick={() => setAsked(true)}>
                Expire
              </button>
            ))}
        </span>
      </div>
      <p class="silence-facts">
        <strong>{comment === '' ? 'No comment' : comment}</strong>
        <span class="dim">
          {` by ${createdBy === '' ? 'unknown' : createdBy}, ${when} (${formatInstant(Date.parse(endsAt), timeZone.value)})`}
        </span>
      </p>
      {failure !== undefined && <p class="row-error">{failure}</p>}
      {status.state === 'active' && (
        <p class={quiets.length === 0 ? 'dim' : ''}>
          {quiets.length === 0
            ? 'Quiets nothing at present.'
            : `Quiets ${quiets.length} ${quiets.length === 1 ? 'alert' : 'alerts'}:`}
        </p>
      )}
      {quiets.slice(0, PREVIEW_MAX).map((alert) => (
        <p key={alert.fingerprint}>
          <Labels labels={alert.labels} />
        </p>
      ))}
    </section>
  )
}

function Matchers({ matchers }: { matchers: readonly AlertMatcher[] }): JSX.Element {
  return (
    <span class="labels">
      {matchers.map((matcher) => (
        <code key={formatAlertMatcher(matcher)} class="label">
          {formatAlertMatcher(matcher)}
        </code>
      ))}
    </span>
  )
}
