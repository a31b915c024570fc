// Who is on call now and over the next two weeks, taking a shift over, steps that wait, signs of life, alerts that flap.
import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { formatAge } from '../../model/units.ts'
import {
  type Escalation,
  escalations,
  type Flapping,
  flapping,
  type Heartbeats,
  heartbeats,
  type OnCallView,
  onCall,
  type Override,
  overrides,
  removeOverride,
  shifts,
} from '../api/on-call.ts'
import { messageOf } from '../shell/form-fields.tsx'
import { formatAgo, formatIn, formatInstant } from '../shell/format.ts'
import { Icon } from '../shell/icons.tsx'
import { Labels } from '../shell/labels.tsx'
import { ListState, Page } from '../shell/page.tsx'
import { useLive } from '../state/live.ts'
import { timeZone } from '../state/time.ts'
import { OverrideForm } from './override-form.tsx'
import { ShiftStrip } from './shift-strip.tsx'
import '../style/ops.css'

const AHEAD_MS = 14 * 86_400_000
const NOT_SET_UP =
  'Nobody is on call by a schedule, and no heartbeats are watched. People, schedules, escalations and heartbeats are described under belltower.on_call in the configuration.'

export function OnCallPage(): JSX.Element {
  const { data, error, loading, reload } = useLive(everything, [])
  const isEmpty =
    data !== undefined &&
    data.views.length + data.escalations.length + data.flapping.length === 0 &&
    data.beats.sent.length + data.beats.expected.length === 0
  return (
    <Page title="On call">
      {data === undefined || isEmpty ? (
        <ListState error={error} loading={loading && data === undefined} empty={NOT_SET_UP} />
      ) : (
        <>
          {error !== undefined && <p class="row-error">{error}</p>}
          {data.views.map((view) => (
            <ScheduleCard key={view.schedule} view={view} overrides={data.overrides} onChanged={reload} />
          ))}
          <Escalations list={data.escalations} />
          <HeartbeatList beats={data.beats} />
          <FlappingList list={data.flapping} />
        </>
      )}
    </Page>
  )
}

async function everything(abort: AbortSignal) {
  const [views, made, steps, flaps, beats] = await Promise.all([
    onCall(abort),
    overrides(abort),
    escalations(abort),
    flapping(abort),
    heartbeats(abort),
  ])
  return { views, overrides: made, escalations: steps, flapping: flaps, beats }
}

interface ScheduleProps {
  view: OnCallView
  overrides: readonly Override[]
  onChanged: () => void
}

function ScheduleCard({ view, overrides: all, onChanged }: ScheduleProps): JSX.Element {
  const [forming, setForming] = useState(false)
  const { schedule, people, source, until, next } = view
  const ahead = useLive((abort) => shifts(schedule, Date.now(), Date.now() + AHEAD_MS, abort), [schedule])
  const changed = () => {
    setForming(false)
    ahead.reload()
    onChanged()
  }
  const own = all.filter((override) => override.schedule === schedule && Date.parse(override.to) > Date.now())
  const names = [...new Set((ahead.data ?? []).flatMap((shift) => shift.people))].sort()
  return (
    <section class="card schedule" aria-label={`Schedule ${schedule}`}>
      <div class="silence-head">
        <div>
          <h2>{schedule}</h2>
          <p class="dim">{view.timeZone}</p>
        </div>
        <p class="on-duty">
          {people.length === 0 ? <span class="cell-warn">nobody</span> : <strong>{people.join(', ')}</strong>}
          <span class="dim">
            {source !== '' && ` by ${source}`}
            {until !== null && ` until ${formatInstant(Date.parse(until), timeZone.value)} (${formatIn(until)})`}
            {until !== null && ` → ${next.length === 0 ? 'nobody' : next.join(', ')}`}
          </span>
        </p>
        <span class="actions">
          <button type="button" class="button small" aria-expanded={forming} onClick={() => setForming(!forming)}>
            <Icon name="edit" /> Override
          </button>
        </span>
      </div>
      {forming && (
        <OverrideForm schedule={schedule} names={names} onDone={changed} onCancel={() => setForming(false)} />
      )}
      {ahead.error !== undefined && <p class="row-error">{ahead.error}</p>}
      {ahead.data !== undefined && <ShiftStrip shifts={ahead.data} zone={timeZone.value} />}
      {own.map((override) => (
        <OverrideRow key={override.id} override={override} onRemoved={changed} />
      ))}
    </section>
  )
}

function OverrideRow({ override, onRemoved }: { override: Override; onRemoved: () => void }): JSX.Element {
  const [failure, setFailure] = useState<string | undefined>(undefined)
  const { id, people, from, to, comment, createdBy } = override
  const span = `${formatInstant(Date.parse(from), timeZone.value)} to ${formatInstant(Date.parse(to), timeZone.value)}`
  return (
    <p class="override">
      <span>
        <strong>{people.length === 0 ? 'nobody' : people.join(', ')}</strong> {span}
        <span class="dim">{` ${comment}${createdBy === '' ? '' : `, by ${createdBy}`}`}</span>
      </span>
      <button
        type="button"
        class="link-button"
        onClick={() => void removeOverride(id).then(onRemoved, (thrown: unknown) => setFailure(messageOf(thrown)))}
      >
        Take back
      </button>
      {failure !== undefined && <span class="row-error">{failure}</span>}
    </p>
  )
}

function Escalations({ list }: { list: readonly Escalation[] }): JSX.Element | null {
  if (list.length === 0) return null
  return (
    <Table title="Escalations" columns={['Group', 'Began', 'Told', 'Next']}>
      {list.map((one) => (
        <tr key={`${one.receiver} ${one.groupKey}`}>
          <td>
            <strong>{one.receiver}</strong> <code>{one.groupKey}</code>
            {one.lastError !== '' && <p class="row-error">{one.lastError}</p>}
          </td>
          <td>{formatAgo(one.startedAt)}</td>
          <td>{one.told.join(', ') || '–'}</td>
          <td>{nextStep(one)}</td>
        </tr>
      ))}
    </Table>
  )
}

function nextStep({ acknowledgedBy, nextAt, nextReceiver }: Escalation): string {
  if (acknowledgedBy !== null) return `stopped by ${acknowledgedBy || 'somebody'}`
  return nextAt === null ? 'all steps are through' : `${nextReceiver ?? ''} ${formatIn(nextAt)}`.trim()
}

function HeartbeatList({ beats }: { beats: Heartbeats }): JSX.Element | null {
  if (beats.sent.length + beats.expected.length === 0) return null
  return (
    <Table title="Signs of life" columns={['Name', 'Every', 'Last', 'State']}>
      {beats.expected.map((one) => (
        <tr key={`expected ${one.name}`}>
          <td>{one.name} is expected</td>
          <td>{formatAge(one.intervalMs / 1000)}</td>
          <td>{one.lastAt === null ? 'none yet' : formatAgo(one.lastAt)}</td>
          <td class={one.isMissing ? 'cell-crit' : ''}>
            {one.isMissing ? 'missing' : `missing ${formatIn(one.missingAt)} unless it comes`}
          </td>
        </tr>
      ))}
      {beats.sent.map((one) => (
        <tr key={`sent ${one.name}`}>
          <td>{one.name} is told</td>
          <td>{formatAge(one.intervalMs / 1000)}</td>
          <td>{one.lastSentAt === null ? 'none yet' : formatAgo(one.lastSentAt)}</td>
          <td class={one.withheld + one.lastError === '' ? '' : 'cell-crit'}>
            {one.withheld || one.lastError || 'well'}
          </td>
        </tr>
      ))}
    </Table>
  )
}

function FlappingList({ list }: { list: readonly Flapping[] }): JSX.Element | null {
  if (list.length === 0) return null
  return (
    <Table title="Held because they flap" columns={['Alert', 'Changes', 'Since', 'Let go']}>
      {list.map((one) => (
        <tr key={one.fingerprint}>
          <td>
            <Labels labels={one.labels} />
          </td>
          <td class="num">{one.changeCount}</td>
          <td>{formatAgo(one.since)}</td>
          <td>{`${formatIn(one.stableAt)} unless it changes`}</td>
        </tr>
      ))}
    </Table>
  )
}

interface TableProps {
  title: string
  columns: readonly string[]
  children: ComponentChildren
}

function Table({ title, columns, children }: TableProps): JSX.Element {
  return (
    <section class="card" aria-label={title}>
      <div class="card-title">
        <h2>{title}</h2>
      </div>
      <div class="table-scroll" tabIndex={0} role="group" aria-label={title}>
        <table class="grid">
          <thead>
            <tr>
              {columns.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{children}</tbody>
        </table>
      </div>
    </section>
  )
}
