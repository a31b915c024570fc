// Keys that work on every page; `?` lists them.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { navigate, pageHref, setParams } from '../state/route.ts'
import { askedRange, refreshNow, setRange, timeParams, zoomOutOnce, zoomTo } from '../state/time.ts'
import { Dialog } from './dialog.tsx'

const PLACES: Readonly<Record<string, readonly [path: string, name: string]>> = {
  h: ['/', 'Home'],
  d: ['/dashboards', 'Dashboards'],
  r: ['/services', 'Services'],
  q: ['/query', 'Query'],
  a: ['/alerts', 'Alerts'],
  s: ['/silences', 'Silences'],
  o: ['/on-call', 'On call'],
  t: ['/targets', 'Targets'],
  u: ['/rules', 'Rules'],
  p: ['/push', 'Push'],
}
const WAIT_MS = 1200

const LIST: readonly (readonly [keys: string, what: string])[] = [
  ...Object.entries(PLACES).map(([key, [, name]]) => [`g ${key}`, `Go to ${name}`] as const),
  ['r', 'Refresh now'],
  ['t z', 'Zoom out'],
  ['t ←  t →', 'Earlier, later'],
  ['t a', 'Fix the range at these instants'],
  ['j  k', 'On the alerts page: next, previous alert'],
  ['s  a', 'On the alerts page: silence, acknowledge the open one'],
  ['e', 'Edit the dashboard'],
  ['d k', 'Full screen'],
  ['Escape', 'Back to all panels, close'],
  ['← →', 'On a chart: move the crosshair, with Shift ten steps'],
  ['?', 'These keys'],
]

export function Keys(): JSX.Element | null {
  const [open, setOpen] = useState(false)
  useEffect(() => {
    let first = ''
    let firstAtMs = 0
    const press = (event: KeyboardEvent) => {
      // The innermost element: the expression's editor is inside a shadow root.
      const target = event.composedPath()[0] as HTMLElement
      if (
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        target.closest('input, textarea, select, [contenteditable], dialog') !== null
      )
        return
      const chord = Date.now() - firstAtMs < WAIT_MS ? first : ''
      first = ''
      if (event.key === '?') setOpen(true)
      else if (chord === 'g' && PLACES[event.key] !== undefined)
        navigate(pageHref(PLACES[event.key]![0], timeParams.peek()))
      else if (chord === 't') timeKey(event)
      else if (chord === 'd' && event.key === 'k') setParams({ kiosk: '1' })
      else if (event.key === 'Escape' && new URLSearchParams(location.search).has('kiosk'))
        setParams({ kiosk: undefined })
      else if (event.key === 'r') refreshNow()
      else if (['g', 't', 'd'].includes(event.key)) {
        first = event.key
        firstAtMs = Date.now()
      }
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
  if (!open) return null
  return (
    <Dialog title="Keys" onClose={() => setOpen(false)}>
      <table class="grid">
        <tbody>
          {LIST.map(([keys, what]) => (
            <tr key={keys}>
              <th scope="row">
                <kbd>{keys}</kbd>
              </th>
              <td>{what}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  )
}

function timeKey(event: KeyboardEvent): void {
  const { fromMs, toMs } = askedRange.peek()
  const halfMs = (toMs - fromMs) / 2
  if (event.key === 'z') zoomOutOnce()
  else if (event.key === 'ArrowLeft') zoomTo({ fromMs: fromMs - halfMs, toMs: toMs - halfMs })
  else if (event.key === 'ArrowRight') zoomTo({ fromMs: fromMs + halfMs, toMs: toMs + halfMs })
  else if (event.key === 'a') setRange({ from: String(Math.round(fromMs)), to: String(Math.round(toMs)) })
}
