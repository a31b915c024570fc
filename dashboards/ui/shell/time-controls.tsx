// Time range, refresh and zoom-out of the page.
import type { JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { describeRange, parseInstant, resolveRange } from '../../model/time-range.ts'
import { readTimeZone } from '../../model/zone.ts'
import { setParams } from '../state/route.ts'
import {
  askedRange,
  dataStartMs,
  pageDefaults,
  refresh,
  refreshNow,
  setRange,
  startsLate,
  timeRange,
  timeZone,
  weekStart,
  zoomOutOnce,
} from '../state/time.ts'
import { formatInstant, writeInstant } from './format.ts'
import { Icon } from './icons.tsx'

const QUICK_RANGES = ['5m', '15m', '1h', '6h', '24h', '7d'] as const
const REFRESH_CHOICES = ['off', '5s', '10s', '30s', '1m', '5m'] as const

export function TimeControls(): JSX.Element {
  const [open, setOpen] = useState(false)
  const boxRef = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!open) return
    const close = (event: Event) => {
      const outside =
        event instanceof KeyboardEvent ? event.key === 'Escape' : !boxRef.current!.contains(event.target as Node)
      if (outside) setOpen(false)
    }
    addEventListener('pointerdown', close)
    addEventListener('keydown', close)
    return () => {
      removeEventListener('pointerdown', close)
      removeEventListener('keydown', close)
    }
  }, [open])
  const every = refresh.value
  return (
    <div class="time-controls" ref={boxRef}>
      <button type="button" class="control" aria-expanded={open} aria-haspopup="dialog" onClick={() => setOpen(!open)}>
        <Icon name="clock" />
        <span class="range-text">{describeRange(timeRange.value, timeZone.value)}</span>
        {startsLate.value && (
          <span class="tag since" title="Older data do not exist">
            data since {formatInstant(dataStartMs.value!, timeZone.value)}
          </span>
        )}
        {timeZone.value !== 'browser' && <span class="tag">{zoneName(timeZone.value)}</span>}
      </button>
      <button type="button" class="control icon-only" title="Zoom out" aria-label="Zoom out" onClick={zoomOutOnce}>
        <Icon name="zoomOut" />
      </button>
      <span class="control-pair">
        <button
          type="button"
          class="control icon-only"
          title="Refresh now"
          aria-label="Refresh now"
          onClick={refreshNow}
        >
          <Icon name="refresh" />
        </button>
        <select
          class="control"
          aria-label="Refresh every"
          value={every}
          onChange={(event) => setParams({ refresh: event.currentTarget.value }, { replace: true })}
        >
          {[...new Set([...REFRESH_CHOICES, every])].map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      </span>
      {open && <RangeDialog onClose={() => setOpen(false)} />}
    </div>
  )
}

function RangeDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const { from, to } = timeRange.value
  const [fromText, setFromText] = useState(editable(from))
  const [toText, setToText] = useState(editable(to))
  const wanted = resolveRange({ from: fromText, to: toText }, Date.now(), timeZone.value, weekStart.value)
  const apply = (event: Event) => {
    event.preventDefault()
    if (wanted === undefined) return
    setRange({ from: written(fromText, 'from'), to: written(toText, 'to') })
    onClose()
  }
  return (
    <div class="popover range-dialog" role="dialog" aria-label="Time range">
      <div class="quick-ranges">
        {QUICK_RANGES.map((span) => (
          <button
            key={span}
            type="button"
            class="chip"
            aria-pressed={from === `now-${span}` && to === 'now'}
            onClick={() => {
              setRange({ from: `now-${span}`, to: 'now' })
              onClose()
            }}
          >
            {span}
          </button>
        ))}
      </div>
      <form onSubmit={apply}>
        <label class="field">
          From
          <input value={fromText} onInput={(event) => setFromText(event.currentTarget.value)} spellcheck={false} />
        </label>
        <label class="field">
          To
          <input value={toText} onInput={(event) => setToText(event.currentTarget.value)} spellcheck={false} />
        </label>
        <p class="help">
          {wanted === undefined
            ? 'Not a range: use now-1h, now/d or 2024-03-13 14:30, the end after the start.'
            : 'now-1h, now/d, or 2024-03-13 14:30'}
        </p>
        <div class="form-row">
          <ZoneSelect />
          <button type="submit" class="button primary" disabled={wanted === undefined}>
            Apply
          </button>
        </div>
      </form>
    </div>
  )
}

/** The address names a zone only where it is not the board's own. */
function ZoneSelect(): JSX.Element {
  const zone = timeZone.value
  const names = useMemo(() => Intl.supportedValuesOf('timeZone').filter((name) => name !== 'UTC'), [])
  const choose = (wanted: string) => {
    const usual = readTimeZone(pageDefaults.peek()?.timezone)
    setParams({ timezone: wanted === usual ? undefined : wanted }, { replace: true })
  }
  return (
    <label class="field zone-field">
      Time zone
      <select class="control" value={zone} onChange={(event) => choose(event.currentTarget.value)}>
        <option value="browser">{`Browser (${Intl.DateTimeFormat().resolvedOptions().timeZone})`}</option>
        <option value="utc">UTC</option>
        {[...new Set([...names, ...(zone === 'browser' || zone === 'utc' ? [] : [zone])])].map((name) => (
          <option key={name} value={name}>
            {name.replaceAll('_', ' ')}
          </option>
        ))}
      </select>
    </label>
  )
}

/** Epoch milliseconds are shown as a date in the page's zone. */
function editable(text: string): string {
  return /^\d+$/.test(text) ? writeInstant(Number(text), timeZone.peek()) : text
}

/** `UTC`, or the city of a named zone. */
function zoneName(zone: string): string {
  return zone === 'utc' ? 'UTC' : zone.slice(zone.lastIndexOf('/') + 1).replaceAll('_', ' ')
}

function written(text: string, edge: 'from' | 'to'): string {
  if (text.trim().startsWith('now')) return text.trim()
  return String(parseInstant(text, askedRange.peek().toMs, edge, timeZone.peek()))
}
