// The routing tree, with a tester: which way an alert goes, who is told, and how its receiver answers a test message.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { parseAlertMatchers } from '../../model/alert-matchers.ts'
import type { LabelSet } from '../../model/frame.ts'
import { formatAge } from '../../model/units.ts'
import { type RouteHit, type RouteNode, routeTree, sendTest, type TestOutcome, testRoutes } from '../api/alerting.ts'
import { type AlertGroup, alertGroups } from '../api/alertmanager.ts'
import { Labels } from '../shell/labels.tsx'
import { ListState, Page } from '../shell/page.tsx'
import { useLive } from '../state/live.ts'
import { route, setParams } from '../state/route.ts'
import '../style/ops.css'

export function RoutesPage(): JSX.Element {
  const text = route.value.search.get('labels') ?? ''
  const labels = labelsOf(text)
  const tree = useLive((abort) => routeTree(abort), [])
  const groups = useLive((abort) => alertGroups([], undefined, abort), [])
  const asked = typeof labels === 'string' || Object.keys(labels).length === 0 ? undefined : labels
  const hits = useLive((abort) => testRoutes(asked ?? {}, abort), [text], { active: asked !== undefined, live: false })
  const shownHits = asked === undefined ? [] : (hits.data ?? [])
  return (
    <Page title="Routes">
      <section class="card tester" aria-label="Tester">
        <label class="field">
          Where would an alert with these labels go?
          <input
            class="mono"
            value={text}
            spellcheck={false}
            placeholder={'alertname="TargetDown", severity="critical"'}
            onInput={(event) => setParams({ labels: event.currentTarget.value || undefined }, { replace: true })}
          />
        </label>
        <div role="status">
          {typeof labels === 'string' && <p class="row-error">{labels}</p>}
          {hits.error !== undefined && <p class="row-error">{hits.error}</p>}
          {shownHits.map((hit) => (
            <p key={`${hit.routeKey} ${hit.receiver}`} class="hit">
              <span class="state-tag state-up">{hit.receiver}</span>
              <span class="dim">in the group</span>
              {Object.keys(hit.groupLabels).length === 0 ? 'of all alerts' : <Labels labels={hit.groupLabels} />}
            </p>
          ))}
        </div>
      </section>
      {tree.data === undefined ? (
        <ListState error={tree.error} loading empty="" />
      ) : (
        <ul class="card route-tree" aria-label="Routing tree">
          <RouteItem node={tree.data} hits={shownHits} groups={groups.data ?? []} depth={0} />
        </ul>
      )}
    </Page>
  )
}

/** Matchers with `=` as labels, or what is wrong with them. */
function labelsOf(text: string): LabelSet | string {
  if (text.trim() === '') return {}
  const parsed = parseAlertMatchers(text)
  if (!Array.isArray(parsed)) return parsed.error
  if (parsed.some(({ isRegex, isEqual }) => isRegex || !isEqual)) return 'An alert has labels: name="value".'
  return Object.fromEntries(parsed.map(({ name, value }) => [name, value]))
}

interface ItemProps {
  node: RouteNode
  hits: readonly RouteHit[]
  groups: readonly AlertGroup[]
  depth: number
}

function RouteItem({ node, hits, groups, depth }: ItemProps): JSX.Element {
  const isHit = hits.some(({ routeKey }) => routeKey === node.key)
  const onWay = !isHit && leadsTo(node, hits)
  const count = groups
    .filter(({ receiver }) => receiver.name === node.receiver)
    .reduce((sum, { alerts }) => sum + alerts.length, 0)
  const times = [
    ['wait', node.groupWaitMs],
    ['interval', node.groupIntervalMs],
    ['repeat', node.repeatIntervalMs],
  ] as const
  return (
    <li class="route-item">
      <div class={`route-line${isHit ? ' route-hit' : onWay ? ' route-way' : ''}`}>
        <span class="route-match">
          {depth === 0 ? <span class="dim">everything</span> : <code>{bare(node.matchers)}</code>}
          {node.continue && (
            <span class="label" title="The routes after it are tried, too">
              continues
            </span>
          )}
          {isHit && <span class="state-tag state-up">goes here</span>}
        </span>
        <span class="route-to">
          <strong>{node.receiver}</strong>
          {count > 0 && <span class="badge badge-crit">{count}</span>}
          <TestButton receiver={node.receiver} />
        </span>
        <span class="route-by">
          <span class="dim">by </span>
          {node.groupBy.length === 0 ? <span class="dim">nothing: one group</span> : node.groupBy.join(', ')}
        </span>
        <span class="route-times dim">
          {times.map(([name, spanMs]) => (
            <span key={name}>{`${name} ${formatAge(spanMs / 1000)}`}</span>
          ))}
          {node.muteTimeIntervals.length > 0 && <span>{`quiet in ${node.muteTimeIntervals.join(', ')}`}</span>}
          {node.activeTimeIntervals.length > 0 && <span>{`only in ${node.activeTimeIntervals.join(', ')}`}</span>}
        </span>
      </div>
      {node.routes.length > 0 && (
        <ul>
          {node.routes.map((child) => (
            <RouteItem key={child.key} node={child} hits={hits} groups={groups} depth={depth + 1} />
          ))}
        </ul>
      )}
    </li>
  )
}

const bare = (matchers: string): string => matchers.replace(/^\{|\}$/g, '')

function leadsTo(node: RouteNode, hits: readonly RouteHit[]): boolean {
  return node.routes.some((child) => hits.some(({ routeKey }) => routeKey === child.key) || leadsTo(child, hits))
}

/** Asks once more before a message goes out. */
function TestButton({ receiver }: { receiver: string }): JSX.Element {
  const [state, setState] = useState<'idle' | 'asked' | 'sending'>('idle')
  const [outcome, setOutcome] = useState<readonly TestOutcome[] | string | undefined>(undefined)
  const send = () => {
    setState('sending')
    sendTest(receiver)
      .then(setOutcome, (thrown: unknown) => setOutcome(thrown instanceof Error ? thrown.message : String(thrown)))
      .finally(() => setState('idle'))
  }
  return (
    <>
      <button
        type="button"
        class={`button small${state === 'asked' ? ' danger' : ''}`}
        disabled={state === 'sending'}
        onClick={state === 'asked' ? send : () => setState('asked')}
      >
        {state === 'asked' ? 'Send now?' : state === 'sending' ? 'Sending…' : 'Test'}
      </button>
      {typeof outcome === 'string' && <span class="row-error">{outcome}</span>}
      {Array.isArray(outcome) &&
        outcome.map(({ integration, index, delivered, detail, error }) => (
          <span
            key={`${integration} ${index}`}
            class={`state-tag state-${delivered ? 'up' : 'down'}`}
            title={error || detail}
          >
            {`${integration} ${delivered ? 'delivered' : 'failed'}`}
          </span>
        ))}
    </>
  )
}
