// How a target got its labels: what was discovered, and what each relabel rule made of it.
import type { JSX } from 'preact'
import type { LabelSet } from '../../model/frame.ts'
import { relabelSteps, type RelabelStep, type Target } from '../api/prometheus.ts'
import { Labels } from '../shell/labels.tsx'
import { Link } from '../shell/link.tsx'
import { useLive } from '../state/live.ts'
import { pageHref } from '../state/route.ts'
import { matcherList } from '../../model/board.ts'

export function TargetDetail({ target }: { target: Target }): JSX.Element {
  const { scrapePool, discoveredLabels, labels, scrapeTimeout } = target
  const selector = `{${matcherList({ job: labels.job ?? '', instance: labels.instance ?? '' })}}`
  const queryHref = (expr: string) =>
    pageHref('/query', new URLSearchParams({ 'g0.expr': expr, 'g0.tab': 'graph', 'g0.range_input': '1h' }))
  return (
    <div class="target-detail">
      <p class="rule-facts">
        <span class="dim">{`gives up after ${scrapeTimeout}`}</span>
        <Link href={queryHref(`up${selector}`)}>up</Link>
        <Link href={queryHref(`scrape_duration_seconds${selector}`)}>scrape duration</Link>
        <Link href={queryHref(`scrape_samples_scraped${selector}`)}>samples</Link>
      </p>
      <RelabelSteps pool={scrapePool} discovered={discoveredLabels} />
    </div>
  )
}

export function RelabelSteps({ pool, discovered }: { pool: string; discovered: LabelSet }): JSX.Element {
  const { data, error } = useLive((abort) => relabelSteps(pool, discovered, abort), [pool, discovered], { live: false })
  return (
    <>
      <h3>Discovered</h3>
      <Labels labels={discovered} />
      <h3>Relabelling</h3>
      {error !== undefined && <p class="row-error">{error}</p>}
      {data?.length === 0 && <p class="dim">No rules: the discovered labels stand.</p>}
      <ol class="steps">
        {data?.map((step, i) => (
          <Step key={i} step={step} before={i === 0 ? discovered : data[i - 1]!.output} />
        ))}
      </ol>
    </>
  )
}

function Step({ step: { rule, output, keep }, before }: { step: RelabelStep; before: LabelSet }): JSX.Element {
  const changed = Object.entries(output).filter(([name, value]) => before[name] !== value)
  const removed = Object.keys(before).filter((name) => output[name] === undefined)
  return (
    <li class={`step${keep ? '' : ' step-drop'}`}>
      <p class="step-rule">
        <strong>{String(rule.action)}</strong> <code class="dim">{ruleText(rule)}</code>
      </p>
      {!keep && <p class="row-error">The target is dropped here.</p>}
      {keep && changed.length === 0 && removed.length === 0 && <p class="dim">changes nothing</p>}
      <span class="labels">
        {changed.map(([name, value]) => (
          <span key={name} class="label label-added">
            {name}={value}
          </span>
        ))}
        {removed.map((name) => (
          <span key={name} class="label label-removed">
            {name}
          </span>
        ))}
      </span>
    </li>
  )
}

function ruleText({ action: _, ...rule }: RelabelStep['rule']): string {
  return Object.entries(rule)
    .map(([name, value]) => `${name}: ${Array.isArray(value) ? `[${value.join(', ')}]` : JSON.stringify(value)}`)
    .join('  ')
}
