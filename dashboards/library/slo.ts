// A service level objective: how fast its error budget burns, in the windows that pages and tickets are made of.
import type { Board, BoardPanel } from '../model/board.ts'
import type { RedSource } from '../model/recognise.ts'
import { lines, stat } from './panel-kit.ts'
import { redQueries } from './service.ts'

export interface BurnWindow {
  readonly long: string
  readonly short: string
  /** Burn rate at which the rule fires: both windows must be above. */
  readonly factor: number
  /** How long it must last, as a rule file says it. */
  readonly hold: string
  readonly severity: 'page' | 'ticket'
  readonly spent: string
}

/** A burn rate of 1 spends the budget in exactly 30 days. */
export const BURN_WINDOWS: readonly BurnWindow[] = [
  { long: '1h', short: '5m', factor: 14.4, hold: '2m', severity: 'page', spent: '2 % of the budget in an hour' },
  { long: '6h', short: '30m', factor: 6, hold: '15m', severity: 'page', spent: '5 % in six hours' },
  { long: '1d', short: '2h', factor: 3, hold: '1h', severity: 'ticket', spent: '10 % in a day' },
  { long: '3d', short: '6h', factor: 1, hold: '3h', severity: 'ticket', spent: '10 % in three days' },
]
const PERIOD = '30d'
const PERIOD_SECONDS = 30 * 86_400

/**
 * @param objective share of good answers that is promised, such as 0.999
 * @returns `undefined` where failed requests cannot be told from good ones
 */
export function sloBoard(source: RedSource, objective: number): Board | undefined {
  const { errorRatio } = redQueries(source)
  if (errorRatio === undefined) return undefined
  const ratio = (window: string) => errorRatio.replaceAll('$__rate_interval', window)
  const budget = Number((1 - objective).toPrecision(12))
  const burn = (window: string) => `(${ratio(window)}) / ${budget}`
  const left = `1 - (${burn(PERIOD)})`
  return {
    uid: `slo-${source.job}`,
    title: `${source.job}: objective`,
    rows: [
      { id: 'slo-now', title: 'Budget', panels: budgetPanels(ratio, burn, left, objective) },
      { id: 'slo-burn', title: 'Burn rates', panels: BURN_WINDOWS.map((window) => burnPanel(window, burn)) },
      {
        id: 'slo-course',
        title: 'Over time',
        panels: [
          lines(
            'slo-burn-course',
            'Burn rate',
            'short',
            [
              { expr: burn('5m'), legend: '5 minutes', color: 0 },
              { expr: burn('1h'), legend: '1 hour', color: 3 },
              { expr: burn('6h'), legend: '6 hours', color: 5 },
            ],
            { span: 6, thresholds: { warn: 6, crit: 14.4 }, hint: '1 spends the budget in exactly 30 days.' },
          ),
          lines('slo-left-course', 'Budget left', 'percentunit', [{ expr: left, legend: 'left', color: 2 }], {
            span: 6,
            fill: true,
            max: 1,
          }),
        ],
      },
    ],
  }
}

type OfWindow = (window: string) => string

function budgetPanels(ratio: OfWindow, burn: OfWindow, left: string, objective: number): BoardPanel[] {
  return [
    stat('slo-left', 'Budget left', 'percentunit', left, {
      span: 3,
      hint: 'Of the failures that 30 days may have, or of the time there are data for.',
    }),
    stat('slo-attained', 'Attained', 'percentunit', `1 - (${ratio(PERIOD)})`, {
      span: 3,
      hint: `What could have been promised; the objective is ${formatObjective(objective)}.`,
    }),
    stat(
      'slo-exhausted',
      'Budget is spent in',
      'dtdurations',
      `clamp_min(${left}, 0) * ${PERIOD_SECONDS} / ((${burn('1h')}) > 0)`,
      { span: 3, emptyText: 'never, at this rate', hint: 'At the rate of the last hour.' },
    ),
    stat('slo-ratio', 'Failing now', 'percentunit', ratio('5m'), {
      span: 3,
      thresholds: { crit: Number((1 - objective).toPrecision(12)) },
    }),
  ]
}

/** The smaller of both windows is what the rule compares with the factor. */
function burnPanel({ long, short, factor, severity, spent, hold }: BurnWindow, burn: OfWindow): BoardPanel {
  const tagged = (window: string) => `label_replace(${burn(window)}, "window", "${window}", "", "")`
  return stat(
    `slo-burn-${long}`,
    `${long} and ${short}: ${severity} at ${factor}`,
    'short',
    `min(${tagged(long)} or ${tagged(short)})`,
    {
      span: 3,
      thresholds: severity === 'page' ? { crit: factor } : { warn: factor },
      hint: `${factor} spends ${spent}; it must last for ${hold}.`,
    },
  )
}

/** 0.999 → `99.9 %`. */
export function formatObjective(objective: number): string {
  return `${Number((objective * 100).toPrecision(8))} %`
}
