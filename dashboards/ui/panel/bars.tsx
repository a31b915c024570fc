import type { JSX } from 'preact'
import { type BarsPanel, severityOf } from '../../model/board.ts'
import { formatValue } from '../../model/units.ts'
import { seriesName } from '../../model/series-name.ts'
import { useLive } from '../state/live.ts'
import { rangeKey, shownRange } from '../state/time.ts'
import { loadRows } from './panel-data.ts'
import type { BodyProps } from './panel-view.tsx'
import { EmptyState } from './states.tsx'

export function BarsBody({ panel, active, widthPx, scrapeIntervalMs }: BodyProps<BarsPanel>): JSX.Element {
  const range = shownRange.value
  const exprs = panel.queries.map(({ expr }) => expr)
  const { data, error, loading } = useLive(
    (abort) => loadRows(panel, undefined, { range, widthPx, scrapeIntervalMs }, abort),
    [exprs, rangeKey.value, widthPx, scrapeIntervalMs],
    { active },
  )
  if (data === undefined || data.length === 0)
    return <EmptyState error={error} loading={loading && data === undefined} />
  const rows = [...data].sort((a, b) => b.values[0]! - a.values[0]!)
  return (
    <ul class="bars">
      {rows.map(({ labels, values }) => {
        const name = seriesName(labels, panel.queries[0]!.legend, new Set())
        const share = values[0]!
        const detail = values[1]
        return (
          <li key={name} class={`bar bar-${severityOf(share, panel.thresholds)}`}>
            <span class="bar-name" title={name}>
              {name}
            </span>
            <span class="bar-value num">{formatValue(share, panel.unit)}</span>
            <span class="bar-track" role="img" aria-label={`${name}: ${formatValue(share, panel.unit)}`}>
              <span class="bar-fill" style={{ width: `${Math.min(100, Math.max(0, share * 100))}%` }} />
            </span>
            {detail !== undefined && <span class="bar-detail num">{formatValue(detail, panel.detailUnit)} free</span>}
          </li>
        )
      })}
    </ul>
  )
}
