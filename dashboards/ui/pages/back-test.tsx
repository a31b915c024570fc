// How often a rule would have fired over a stretch of the past.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { type BackTest, backTest, type Firing } from '../../model/back-test.ts'
import { tryParseDuration } from '../../model/interval.ts'
import { formatAge } from '../../model/units.ts'
import { queryRange, type Rule } from '../api/prometheus.ts'
import { formatInstant } from '../shell/format.ts'
import { Labels } from '../shell/labels.tsx'
import { useLive } from '../state/live.ts'
import { timeZone } from '../state/time.ts'

const SPANS = { '1h': 'hour', '1d': 'day', '7d': 'week', '30d': '30 days' } as const
type Span = keyof typeof SPANS
/** Servers refuse more than 11,000 points a series; this many tell as much. */
const POINTS_MAX = 5000
const LIST_MAX = 50

interface Props {
  rule: Rule
  intervalSeconds: number
}

export function BackTestView({ rule, intervalSeconds }: Props): JSX.Element {
  const [span, setSpan] = useState<Span>('1d')
  const [hold, setHold] = useState(formatHold(rule.duration ?? 0))
  const forMs = hold.trim() === '0' ? 0 : tryParseDuration(hold)
  const { data, error, loading } = useLive(
    (abort) => run(rule, { span, intervalSeconds, forMs: forMs! }, abort),
    [rule.query, span, forMs],
    { active: forMs !== undefined, live: false },
  )
  return (
    <section class="back-test" aria-label={`Back-test of ${rule.name}`}>
      <div class="back-test-head">
        <h3>Back-test</h3>
        <span class="chips" role="group" aria-label="Over the last">
          {(Object.keys(SPANS) as Span[]).map((name) => (
            <button key={name} type="button" class="chip" aria-pressed={span === name} onClick={() => setSpan(name)}>
              {name}
            </button>
          ))}
        </span>
        <label class="inline-field">
          for
          <input
            class="control hold"
            value={hold}
            spellcheck={false}
            aria-invalid={forMs === undefined}
            onInput={(event) => setHold(event.currentTarget.value)}
          />
        </label>
        <p class="back-test-verdict" role="status">
          {error ?? (data === undefined ? (loading ? 'Reading the past…' : '') : verdict(data.result, span))}
        </p>
      </div>
      {data !== undefined && data.result.firings.length > 0 && <Course {...data} />}
    </section>
  )
}

function verdict({ firings, tooShortCount, firingMs }: BackTest, span: Span): string {
  const times = firings.length === 1 ? 'once' : firings.length === 0 ? 'not once' : `${firings.length} times`
  const long = firings.length === 0 ? '' : `, ${formatAge(firingMs / 1000)} in all`
  const short =
    tooShortCount === 0
      ? ''
      : `; ${tooShortCount === 1 ? 'once' : `${tooShortCount} times`} it was over before it fired`
  return `Would have fired ${times} in the last ${SPANS[span]}${long}${short}.`
}

interface Answer {
  readonly result: BackTest
  readonly fromMs: number
  readonly toMs: number
  readonly stepMs: number
}

async function run(
  rule: Props['rule'],
  { span, intervalSeconds, forMs }: { span: Span; intervalSeconds: number; forMs: number },
  signal: AbortSignal,
): Promise<Answer> {
  const spanMs = tryParseDuration(span)!
  const wantedMs = Math.max(intervalSeconds * 1000, spanMs / POINTS_MAX)
  const stepMs = Math.ceil(wantedMs / 1000) * 1000
  const toMs = Math.floor(Date.now() / stepMs) * stepMs
  const fromMs = toMs - Math.floor(spanMs / stepMs) * stepMs
  const { data } = await queryRange(rule.query, { startMs: fromMs, endMs: toMs, stepMs }, signal)
  const keepFiringForMs = (rule.keepFiringFor ?? 0) * 1000
  return { result: backTest(data, { endMs: toMs, stepMs, forMs, keepFiringForMs }), fromMs, toMs, stepMs }
}

function Course({ result: { firings }, fromMs, toMs, stepMs }: Answer): JSX.Element {
  const share = (atMs: number) => `${Math.max(0, Math.min(100, ((atMs - fromMs) / (toMs - fromMs)) * 100))}%`
  const width = (one: Firing, start: number) => `max(2px, calc(${share(one.endMs)} - ${share(start)}))`
  return (
    <>
      <div class="lane" aria-hidden="true">
        {firings.map((one, i) => (
          <span key={i}>
            <span
              class="lane-pending"
              style={{ left: share(one.pendingFromMs), width: width(one, one.pendingFromMs) }}
            />
            <span class="lane-firing" style={{ left: share(one.firingFromMs), width: width(one, one.firingFromMs) }} />
          </span>
        ))}
      </div>
      <p class="lane-ends dim">
        <span>{formatInstant(fromMs, timeZone.value)}</span>
        <span>{`looked at every ${formatAge(stepMs / 1000)}`}</span>
        <span>{formatInstant(toMs, timeZone.value)}</span>
      </p>
      <div class="table-scroll firings" tabIndex={0} role="group" aria-label="Times it would have fired">
        <table class="grid">
          <thead>
            <tr>
              <th scope="col">Fired at</th>
              <th scope="col" class="num">
                Lasted
              </th>
              <th scope="col">Labels</th>
            </tr>
          </thead>
          <tbody>
            {firings
              .slice(-LIST_MAX)
              .reverse()
              .map((one) => (
                <tr key={`${one.firingFromMs} ${JSON.stringify(one.labels)}`}>
                  <td class="nowrap">{formatInstant(one.firingFromMs, timeZone.value)}</td>
                  <td class="num">{one.ongoing ? 'still firing' : formatAge((one.endMs - one.firingFromMs) / 1000)}</td>
                  <td>
                    {Object.keys(one.labels).length === 0 ? (
                      <span class="dim">none</span>
                    ) : (
                      <Labels labels={one.labels} />
                    )}
                  </td>
                </tr>
              ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

/** Seconds as a rule file writes them: `90s`, `15m`, `2h`. */
function formatHold(seconds: number): string {
  if (seconds === 0) return '0'
  if (seconds % 3600 === 0) return `${seconds / 3600}h`
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`
}
