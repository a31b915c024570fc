// The drawer in which one panel is edited; the panel itself, beside it, shows every change at once.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { at, type Json, numberOf, objectOf, objectsOf, textOf, withValueAt } from '../../grafana/json.ts'
import { NATIVE_PANELS } from '../../grafana/placeholder.ts'
import { Icon } from '../shell/icons.tsx'

const UNITS = [
  '',
  'short',
  'none',
  'percent',
  'percentunit',
  'bytes',
  'decbytes',
  'Bps',
  'bps',
  's',
  'ms',
  'dtdurations',
  'reqps',
  'ops',
  'pps',
  'iops',
  'hertz',
  'celsius',
  'bool_yes_no',
  'dateTimeAsIso',
]
const DRAWS = ['line', 'bars', 'points']
const CURVES = ['linear', 'smooth', 'stepBefore', 'stepAfter']
const STACKS = ['none', 'normal', 'percent']

interface Props {
  panel: Json
  onChange: (panel: Json) => void
  onClose: () => void
}

export function PanelEditor({ panel, onChange, onClose }: Props): JSX.Element {
  const set = (path: string, value: unknown) => onChange(withValueAt(panel, path.split('.'), value))
  const field = (label: string, path: string, type: 'text' | 'number' = 'text') => (
    <label class="field">
      {label}
      <input
        value={textOf(at(panel, path))}
        inputMode={type === 'number' ? 'decimal' : 'text'}
        onInput={(event) =>
          set(path, type === 'number' ? numberOf(event.currentTarget.value) : event.currentTarget.value)
        }
      />
    </label>
  )
  const choice = (label: string, path: string, choices: readonly string[], usual: string) => (
    <label class="field">
      {label}
      <select
        class="control"
        value={textOf(at(panel, path), usual)}
        onChange={(event) => set(path, event.currentTarget.value)}
      >
        {[...new Set([...choices, textOf(at(panel, path), usual)])].map((one) => (
          <option key={one} value={one}>
            {one === '' ? '(none)' : one}
          </option>
        ))}
      </select>
    </label>
  )
  const isLines = panel.type === 'timeseries'
  return (
    <aside class="panel-editor" aria-label="Edit panel">
      <div class="drawer-head">
        <h2>Edit panel</h2>
        <button type="button" class="control icon-only" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      {field('Title', 'title')}
      {field('Description', 'description')}
      <div class="field-row">
        {choice(
          'Kind',
          'type',
          [...NATIVE_PANELS].filter((one) => one !== 'row'),
          'timeseries',
        )}
        {choice('Unit', 'fieldConfig.defaults.unit', UNITS, '')}
      </div>
      {panel.type === 'text' ? (
        <label class="field">
          Text
          <textarea
            rows={10}
            value={textOf(at(panel, 'options.content'))}
            onInput={(event) => set('options.content', event.currentTarget.value)}
          />
        </label>
      ) : (
        <Targets panel={panel} onChange={onChange} />
      )}
      <div class="field-row">
        {field('Min', 'fieldConfig.defaults.min', 'number')}
        {field('Max', 'fieldConfig.defaults.max', 'number')}
        {field('Decimals', 'fieldConfig.defaults.decimals', 'number')}
      </div>
      {isLines && (
        <>
          <div class="field-row">
            {choice('Draw', 'fieldConfig.defaults.custom.drawStyle', DRAWS, 'line')}
            {choice('Line', 'fieldConfig.defaults.custom.lineInterpolation', CURVES, 'linear')}
            {choice('Stack', 'fieldConfig.defaults.custom.stacking.mode', STACKS, 'none')}
          </div>
          <div class="field-row">
            {field('Width', 'fieldConfig.defaults.custom.lineWidth', 'number')}
            {field('Fill %', 'fieldConfig.defaults.custom.fillOpacity', 'number')}
            {choice('Legend', 'options.legend.displayMode', ['list', 'table', 'hidden'], 'list')}
          </div>
        </>
      )}
      {(panel.type === 'stat' || panel.type === 'gauge' || panel.type === 'bargauge') && (
        <div class="field-row">
          <label class="field">
            Value
            <select
              class="control"
              value={textOf(objectOf(objectOf(panel.options).reduceOptions).calcs?.toString(), 'lastNotNull')}
              onChange={(event) => set('options.reduceOptions.calcs', [event.currentTarget.value])}
            >
              {['lastNotNull', 'mean', 'max', 'min', 'sum', 'first'].map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </label>
        </div>
      )}
      <Thresholds panel={panel} onChange={onChange} />
      <JsonField panel={panel} onChange={onChange} />
    </aside>
  )
}

function Targets({ panel, onChange }: Omit<Props, 'onClose'>): JSX.Element {
  const targets = objectsOf(panel.targets)
  const write = (next: readonly Json[]) => onChange({ ...panel, targets: next })
  const change = (i: number, changes: Json) =>
    write(targets.map((one, at) => (at === i ? { ...one, ...changes } : one)))
  return (
    <fieldset class="targets">
      <legend>Queries</legend>
      {targets.map((target, i) => (
        <div class="target" key={i}>
          <label class="field">
            {`Query ${textOf(target.refId)}`}
            <textarea
              class="mono"
              rows={3}
              spellcheck={false}
              value={textOf(target.expr)}
              onInput={(event) => change(i, { expr: event.currentTarget.value })}
            />
          </label>
          <div class="field-row">
            <label class="field">
              Legend
              <input
                value={textOf(target.legendFormat)}
                placeholder="{{instance}}"
                onInput={(event) => change(i, { legendFormat: event.currentTarget.value })}
              />
            </label>
            <label class="check">
              <input
                type="checkbox"
                checked={target.instant === true}
                onChange={(event) =>
                  change(i, { instant: event.currentTarget.checked, range: !event.currentTarget.checked })
                }
              />
              Instant
            </label>
            <button type="button" class="button" onClick={() => write(targets.filter((_, at) => at !== i))}>
              Remove
            </button>
          </div>
        </div>
      ))}
      <button
        type="button"
        class="button"
        onClick={() => write([...targets, { refId: freeRef(targets), expr: '', legendFormat: '__auto' }])}
      >
        <Icon name="plus" /> Query
      </button>
    </fieldset>
  )
}

function freeRef(targets: readonly Json[]): string {
  const taken = new Set(targets.map(({ refId }) => refId))
  return Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ').find((letter) => !taken.has(letter)) ?? `A${targets.length}`
}

function Thresholds({ panel, onChange }: Omit<Props, 'onClose'>): JSX.Element {
  const path = 'fieldConfig.defaults.thresholds'
  const steps = objectsOf(objectOf(at(panel, path)).steps)
  const write = (next: readonly Json[]) =>
    onChange(withValueAt(panel, path.split('.'), { mode: 'absolute', steps: next }))
  return (
    <fieldset class="targets">
      <legend>Thresholds</legend>
      {steps.map((step, i) => (
        <div class="field-row" key={i}>
          {i === 0 ? (
            <span class="dim">Base</span>
          ) : (
            <input
              class="plain-input"
              type="number"
              step="any"
              aria-label="From"
              value={textOf(step.value)}
              onInput={(event) =>
                write(
                  steps.map((one, at) =>
                    at === i ? { ...one, value: numberOf(event.currentTarget.value) ?? 0 } : one,
                  ),
                )
              }
            />
          )}
          <input
            class="plain-input"
            aria-label="Colour"
            value={textOf(step.color)}
            onInput={(event) =>
              write(steps.map((one, at) => (at === i ? { ...one, color: event.currentTarget.value } : one)))
            }
          />
          <button
            type="button"
            class="control icon-only"
            aria-label="Remove threshold"
            onClick={() => write(steps.filter((_, at) => at !== i))}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
      <button
        type="button"
        class="button"
        onClick={() =>
          write(
            steps.length === 0
              ? [
                  { value: null, color: 'green' },
                  { value: 80, color: 'red' },
                ]
              : [...steps, { value: (numberOf(steps.at(-1)!.value) ?? 0) + 10, color: 'red' }],
          )
        }
      >
        <Icon name="plus" /> Threshold
      </button>
    </fieldset>
  )
}

/** Everything else there is, as it is stored. */
function JsonField({ panel, onChange }: Omit<Props, 'onClose'>): JSX.Element {
  const [text, setText] = useState<string | undefined>(undefined)
  const [fault, setFault] = useState('')
  const apply = () => {
    try {
      onChange(JSON.parse(text!) as Json)
      setText(undefined)
      setFault('')
    } catch (thrown) {
      setFault((thrown as Error).message)
    }
  }
  return (
    <details>
      <summary>JSON</summary>
      <textarea
        class="mono"
        aria-label="Panel JSON"
        rows={16}
        spellcheck={false}
        value={text ?? JSON.stringify(panel, undefined, 2)}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      {fault !== '' && (
        <p class="notice notice-crit" role="alert">
          {fault}
        </p>
      )}
      <button type="button" class="button" disabled={text === undefined} onClick={apply}>
        Apply
      </button>
    </details>
  )
}
