// One alert: what its rule sees, who is told and why (or why not), what was sent, and taking it on or quieting it.
import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { LabelSet } from '../../model/frame.ts'
import {
  type Destination,
  type Explanation,
  explainAlert,
  sentNotifications,
  withdrawAcknowledgement,
} from '../api/alerting.ts'
import type { GettableAlert } from '../api/alertmanager.ts'
import { formatAgo, formatIn } from '../shell/format.ts'
import { Icon } from '../shell/icons.tsx'
import { Labels } from '../shell/labels.tsx'
import { Link } from '../shell/link.tsx'
import { useLive } from '../state/live.ts'
import { pageHref } from '../state/route.ts'
import { AcknowledgeForm } from './acknowledge-form.tsx'
import { AlertGraph } from './alert-graph.tsx'
import { exactMatchers } from './alert-parts.tsx'
import { SentTable } from './sent.tsx'
import { SilenceForm } from './silence-form.tsx'

const SENT_MAX = 12

interface Props {
  labels: LabelSet
  /** What the rule says; absent where the alert came from elsewhere. */
  expr: string | undefined
  arrived: GettableAlert | undefined
  /** All alerts that have arrived, for the silence's preview. */
  alerts: readonly GettableAlert[]
  onChanged: () => void
}

export function AlertDetail({ labels, expr, arrived, alerts, onChanged }: Props): JSX.Element {
  const [doing, setDoing] = useState<'silence' | 'acknowledge' | undefined>(undefined)
  const { data, error, reload } = useLive(
    (abort) => explainAlert(arrived?.fingerprint ?? labels, abort),
    [arrived?.fingerprint ?? labels],
  )
  const changed = () => {
    setDoing(undefined)
    reload()
    onChanged()
  }
  const destinations = data?.destinations ?? []
  return (
    <div class="alert-detail">
      <div class="alert-actions">
        <button
          type="button"
          class="button small"
          data-key="s"
          aria-expanded={doing === 'silence'}
          onClick={() => setDoing(doing === 'silence' ? undefined : 'silence')}
        >
          <Icon name="mute" /> Silence
        </button>
        {data?.state === 'firing' && (
          <button
            type="button"
            class="button small"
            data-key="a"
            aria-expanded={doing === 'acknowledge'}
            onClick={() => setDoing(doing === 'acknowledge' ? undefined : 'acknowledge')}
          >
            <Icon name="bell" /> Acknowledge
          </button>
        )}
      </div>
      {doing === 'silence' && (
        <SilenceForm
          edited={undefined}
          filter={exactMatchers(arrived?.labels ?? labels)}
          alerts={alerts}
          onDone={changed}
          onCancel={() => setDoing(undefined)}
        />
      )}
      {doing === 'acknowledge' && (
        <AcknowledgeForm groups={groupKeys(destinations)} onDone={changed} onCancel={() => setDoing(undefined)} />
      )}
      <div class="alert-columns">
        {expr !== undefined && (
          <section aria-label="Graph">
            <h3>What the rule sees</h3>
            <AlertGraph expr={expr} labels={labels} id={`alert-${data?.fingerprint ?? exactMatchers(labels)}`} />
          </section>
        )}
        <section aria-label="Notification">
          <h3>Who is told</h3>
          {data === undefined && <p class={error === undefined ? 'dim' : 'row-error'}>{error ?? 'Loading…'}</p>}
          {destinations.map((destination) => (
            <DestinationCard
              key={`${destination.receiver} ${destination.groupKey}`}
              destination={destination}
              state={data!.state}
              onChanged={changed}
            />
          ))}
          {data !== undefined && destinations.length === 0 && <p class="dim">No route takes it.</p>}
        </section>
      </div>
      <History groups={groupKeys(destinations)} />
    </div>
  )
}

function groupKeys(destinations: readonly Destination[]): readonly string[] {
  return [...new Set(destinations.map(({ groupKey }) => groupKey))]
}

interface DestinationProps {
  destination: Destination
  state: Explanation['state']
  onChanged: () => void
}

function DestinationCard({ destination, onChanged }: DestinationProps): JSX.Element {
  const { receiver, routePath, groupKey, groupLabels, nextFlushAt, alertCount, silencedBy, acknowledgedBy } =
    destination
  const steps = routePath.filter((step) => step !== '' && step !== '{}')
  return (
    <div class="destination">
      <p class="verdict">{destination.verdict}</p>
      <dl class="facts">
        <Fact name="Receiver">
          <strong>{receiver}</strong>
          <span class="dim">
            {' '}
            {destination.integrations.map(({ integration }) => integration).join(', ') || 'no integration'}
          </span>
        </Fact>
        <Fact name="Route">
          <Link href={pageHref('/routes', { labels: exactMatchers(groupLabels) })}>
            {['default', ...steps].join(' › ')}
          </Link>
        </Fact>
        <Fact name="Group">
          {Object.keys(groupLabels).length === 0 ? 'all alerts of the route' : <Labels labels={groupLabels} />}
          {alertCount > 1 && <span class="dim"> {`with ${alertCount - 1} more`}</span>}
        </Fact>
        {nextFlushAt !== null && <Fact name="Looked at again">{formatIn(nextFlushAt)}</Fact>}
        {silencedBy.map((silence) => (
          <Fact key={silence.id} name="Silence">
            <Link href={pageHref('/silences', { id: silence.id })}>
              {`${silence.comment || 'No comment'}, by ${silence.createdBy || 'somebody'}`}
            </Link>
            <span class="dim"> {`ends ${formatIn(silence.endsAt)}`}</span>
          </Fact>
        ))}
        {destination.inhibitedBy !== undefined && <Fact name="Inhibited by">{destination.inhibitedBy.labels}</Fact>}
        {destination.mutedBy.length > 0 && <Fact name="Muted by">{destination.mutedBy.join(', ')}</Fact>}
        {destination.integrations.map((one) => (
          <Fact key={`${one.integration} ${one.index}`} name={`${one.integration} ${one.index + 1}`}>
            {one.lastNotifiedAt === null ? 'not told yet' : `told ${formatAgo(one.lastNotifiedAt)}`}
            {one.repeatsAt !== null && <span class="dim">{`, repeated ${formatIn(one.repeatsAt)}`}</span>}
            {one.lastError !== '' && <p class="row-error">{one.lastError}</p>}
          </Fact>
        ))}
        {acknowledgedBy !== undefined && (
          <Fact name="Acknowledged by">
            {acknowledgedBy || 'somebody'}{' '}
            <button
              type="button"
              class="link-button"
              onClick={() => void withdrawAcknowledgement(groupKey).then(onChanged, onChanged)}
            >
              Take back
            </button>
          </Fact>
        )}
      </dl>
    </div>
  )
}

function Fact({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function History({ groups }: { groups: readonly string[] }): JSX.Element | null {
  const { data, error } = useLive(
    async (abort) => {
      const all = await Promise.all(
        groups.map((groupKey) => sentNotifications({ groupKey, limit: String(SENT_MAX) }, abort)),
      )
      return all.flat().sort((a, b) => (a.at < b.at ? 1 : -1))
    },
    [groups],
    { active: groups.length > 0 },
  )
  if (groups.length === 0) return null
  return (
    <section aria-label="Sent notifications">
      <h3>What was sent</h3>
      {data === undefined || data.length === 0 ? (
        <p class={error === undefined ? 'dim' : 'row-error'}>
          {error ?? (data === undefined ? 'Loading…' : 'Nothing yet.')}
        </p>
      ) : (
        <SentTable sent={data.slice(0, SENT_MAX)} />
      )}
    </section>
  )
}
