// A table of a frame: columns with their own units, widths, colours, bars and links.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { readableOn, resolveColor } from '../../../grafana/colors.ts'
import { type Cell, isEmptyCell } from '../../../grafana/data-frame.ts'
import { displayText, mapValue, settingsRange } from '../../../grafana/field-settings.ts'
import { type Json, numberOf, objectOf, objectsOf, textOf } from '../../../grafana/json.ts'
import type { Scope } from '../../../grafana/interpolate.ts'
import { compareCells } from '../../../grafana/transform.ts'
import { EmptyState } from '../../panel/states.tsx'
import { theme } from '../../state/theme.ts'
import { timeZone } from '../../state/time.ts'
import { AnyLink, dataHref } from '../links.tsx'
import { inkOf, isHidden, ownColor, type PanelField, panelFields } from '../panel-fields.ts'
import type { PanelProps } from '../panel-props.ts'

const ROWS_MAX = 500

export function TablePanel({ panel, title, data, scope }: PanelProps): JSX.Element {
  const [frameAt, setFrameAt] = useState(0)
  const frames = data.frames.filter(({ fields }) => fields.length > 0)
  const frame = frames[Math.min(frameAt, frames.length - 1)]
  const [sort, setSort] = useState<{ name: string; desc: boolean } | undefined>(undefined)
  if (frame === undefined || frame.length === 0) return <EmptyState loading={false} />
  const columns = panelFields([frame], panel.fieldConfig, timeZone.value).filter((one) => !isHidden(one))
  const wanted = sort ?? firstSort(panel.options, columns)
  const sortColumn = columns.find(({ settings }) => settings.name === wanted?.name)
  const rows = Array.from({ length: frame.length }, (_, i) => i)
  if (sortColumn !== undefined) {
    const { values } = sortColumn.field
    rows.sort((a, b) => (wanted!.desc ? -1 : 1) * compareCells(values[a] ?? null, values[b] ?? null))
  }
  return (
    <div class="dash-table">
      <div class="table-scroll" tabIndex={0} role="group" aria-label={title}>
        <table class="grid">
          {panel.options.showHeader !== false && (
            <thead>
              <tr>
                {columns.map((column, i) => (
                  <th
                    key={i}
                    scope="col"
                    class={alignOf(column)}
                    style={widthOf(column)}
                    aria-sort={
                      wanted?.name === column.settings.name ? (wanted.desc ? 'descending' : 'ascending') : 'none'
                    }
                  >
                    <button
                      type="button"
                      class="sort"
                      onClick={() =>
                        setSort({
                          name: column.settings.name,
                          desc: wanted?.name === column.settings.name ? !wanted.desc : column.field.type === 'number',
                        })
                      }
                    >
                      {column.settings.name}
                      {wanted?.name === column.settings.name ? (wanted.desc ? ' ↓' : ' ↑') : ''}
                    </button>
                  </th>
                ))}
              </tr>
            </thead>
          )}
          <tbody>
            {rows.slice(0, ROWS_MAX).map((row) => (
              <tr key={row}>
                {columns.map((column, i) => (
                  <TableCell key={i} column={column} columns={columns} row={row} scope={scope} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {(rows.length > ROWS_MAX || frames.length > 1) && (
        <div class="table-foot">
          {rows.length > ROWS_MAX && <span class="more">{`${ROWS_MAX} of ${rows.length} rows`}</span>}
          {frames.length > 1 && (
            <select
              class="control"
              aria-label="Series"
              value={String(frameAt)}
              onChange={(event) => setFrameAt(Number(event.currentTarget.value))}
            >
              {frames.map((one, i) => (
                <option key={i} value={String(i)}>
                  {one.name || one.refId}
                </option>
              ))}
            </select>
          )}
        </div>
      )}
    </div>
  )
}

function firstSort(options: Json, columns: readonly PanelField[]): { name: string; desc: boolean } | undefined {
  const [first] = objectsOf(options.sortBy)
  if (first !== undefined) return { name: textOf(first.displayName), desc: first.desc === true }
  const column = columns[numberOf(options.sortByColumn) ?? -1]
  return column === undefined ? undefined : { name: column.settings.name, desc: options.sortDesc === true }
}

function alignOf({ field, settings }: PanelField): string {
  const { align } = settings.custom
  if (align === 'right' || align === 'center' || align === 'left') return `align-${align}`
  return field.type === 'number' ? 'num' : ''
}

function widthOf({ settings }: PanelField): Record<string, string> {
  const width = numberOf(settings.custom.width)
  return width === undefined ? {} : { width: `${width}px`, minWidth: `${Math.min(width, 120)}px` }
}

function TableCell({
  column,
  columns,
  row,
  scope,
}: {
  column: PanelField
  columns: readonly PanelField[]
  row: number
  scope: Scope
}): JSX.Element {
  const { field, settings } = column
  const value: Cell = field.values[row] ?? null
  const text = displayText(value, field.type, settings)
  const cell = objectOf(settings.custom.cellOptions)
  const mapped = mapValue(value, settings.mappings)?.color
  const color =
    mapped !== undefined
      ? resolveColor(mapped, theme.value)
      : isEmptyCell(value)
        ? undefined
        : ownColor(
            { ...settings, colorMode: settings.colorMode || 'thresholds' },
            Number(value),
            [field.values],
            theme.value,
          )
  const type = textOf(cell.type, 'auto')
  const isGround = type === 'color-background' && color !== undefined
  const style = isGround
    ? { background: color, color: readableOn(color) }
    : type === 'color-text' && color !== undefined
      ? { color: inkOf(color) }
      : {}
  const link = settings.links[0]
  const href = link === undefined ? undefined : dataHref(link.url, scope, linkFacts(column, columns, row, text))
  const body = href === undefined ? text : <AnyLink href={href} title={text} blank={link!.targetBlank} />
  if (type === 'gauge' && typeof value === 'number') {
    const { min, max } = settingsRange([field.values], settings)
    return (
      <td class={alignOf(column)}>
        <span class="cell-gauge" aria-hidden="true">
          <span
            style={{
              width: `${Math.min(100, Math.max(0, ((value - min) / (max - min || 1)) * 100))}%`,
              background: color ?? 'var(--link)',
            }}
          />
        </span>
        <span class="cell-gauge-text" style={color === undefined ? {} : { color: inkOf(color) }}>
          {body}
        </span>
      </td>
    )
  }
  return (
    <td class={alignOf(column)} style={style} title={text.length > 40 ? text.slice(0, 1000) : undefined}>
      {body}
    </td>
  )
}

function linkFacts(
  { field, settings }: PanelField,
  columns: readonly PanelField[],
  row: number,
  text: string,
): Record<string, string> {
  const facts: Record<string, string> = {
    '__value.raw': String(field.values[row] ?? ''),
    '__value.text': text,
    '__value.numeric': String(field.values[row] ?? ''),
    '__field.name': settings.name,
    '__series.name': settings.name,
    __cell: String(field.values[row] ?? ''),
  }
  columns.forEach((column, i) => {
    const cell = String(column.field.values[row] ?? '')
    facts[`__data.fields.${column.settings.name}`] = cell
    facts[`__data.fields.${column.field.name}`] = cell
    facts[`__data.fields.${i}`] = cell
    facts[`__cell_${i}`] = cell
  })
  for (const [name, value] of Object.entries(field.labels)) facts[`__field.labels.${name}`] = value
  return facts
}
