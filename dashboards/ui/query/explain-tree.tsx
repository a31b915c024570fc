// The plan of a query as a tree: what each part is expected to read, and once measured what it did.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { QueryPanel } from '../../model/graph-url.ts'
import { explainQuery, type PlanPart } from '../api/queries.ts'
import { useLive } from '../state/live.ts'
import { gridOf } from './grid.ts'

const TEXT_MAX = 300
const MS = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })
const COUNT = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

export function ExplainTree({ panel, runs }: { panel: QueryPanel; runs: number }): JSX.Element {
  const [measured, setMeasured] = useState<string | undefined>(undefined)
  const { expr, tab, rangeMs, endMs, momentMs, stepMs } = panel
  const question = JSON.stringify([expr, tab, rangeMs, endMs, momentMs, stepMs])
  const run = measured === question
  const { data, error, loading } = useLive(
    (abort) => explainQuery(expr, tab === 'graph' ? gridOf(panel) : momentMs, run, abort),
    [question, run, runs],
    { live: false },
  )
  // What is wrong with a query is said where its answer would be.
  if (error !== undefined) return <></>
  if (data === undefined) return <p class="state">Planning…</p>
  const totalSeconds = data.measured?.seconds ?? 0
  return (
    <div class={loading ? 'explain loading' : 'explain'}>
      <div class="explain-head">
        <span>
          Expected to read <b>{COUNT.format(data.expected.samples)}</b> samples
          {data.measured && (
            <>
              {', took '}
              <b>{`${MS.format(totalSeconds * 1000)} ms`}</b>
            </>
          )}
        </span>
        <button type="button" class="link-button" onClick={() => setMeasured(question)} disabled={run}>
          {run ? 'Measured' : 'Run and measure'}
        </button>
      </div>
      <ul class="explain-tree" aria-label={`Plan of ${expr.slice(0, TEXT_MAX)}`}>
        <Part part={data} totalSeconds={totalSeconds} />
      </ul>
    </div>
  )
}

function Part({ part, totalSeconds }: { part: PlanPart; totalSeconds: number }): JSX.Element {
  const { kind, name, text, expected, measured, children } = part
  const share = measured === undefined || totalSeconds === 0 ? 0 : measured.selfSeconds / totalSeconds
  return (
    <li>
      <div class="explain-part">
        <span class="explain-kind">{name === '' ? spaced(kind) : name}</span>
        <code class="explain-text" title={text.slice(0, 5000)}>
          {text.slice(0, TEXT_MAX)}
        </code>
        <span class="explain-facts num">
          {measured === undefined
            ? `${COUNT.format(expected.series)} series, ${COUNT.format(expected.samples)} samples`
            : `${COUNT.format(measured.series)} of ${COUNT.format(expected.series)} series, ${COUNT.format(measured.samples)} ${kind.endsWith('Selector') ? 'samples' : 'values'}, ${MS.format(measured.selfSeconds * 1000)} ms`}
        </span>
        {measured !== undefined && (
          <span class="explain-share" aria-hidden="true">
            <span style={{ width: `${Math.min(100, share * 100)}%` }} />
          </span>
        )}
      </div>
      {children.length > 0 && (
        <ul>
          {children.map((child, i) => (
            <Part key={i} part={child} totalSeconds={totalSeconds} />
          ))}
        </ul>
      )}
    </li>
  )
}

/** `vectorSelector` as words. */
function spaced(kind: string): string {
  return kind.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
