// The first line chart, `graph`: its switches become field settings, its series overrides become overrides.
import { compact, flagOf, type Json, numberOf, objectOf, objectsOf, textOf } from './json.ts'
import { colorOverrides, STAT_OF } from './migrate-shared.ts'

export function migrateGraph(panel: Json): Json {
  const xaxis = objectOf(panel.xaxis)
  if (xaxis.mode === 'histogram') return { ...base(panel), type: 'histogram', options: { legend: legendOf(panel) } }
  if (xaxis.mode === 'series') return seriesBars(panel, xaxis)
  const [left, right] = axesOf(panel)
  return {
    ...base(panel),
    type: 'timeseries',
    fieldConfig: {
      defaults: compact({
        unit: left.format,
        decimals: numberOf(left.decimals) ?? numberOf(panel.decimals),
        min: numberOf(left.min),
        max: numberOf(left.max),
        color: { mode: 'palette-classic' },
        thresholds: thresholdSteps(panel),
        links: objectOf(panel.options).dataLinks,
        custom: compact({ ...drawing(panel), ...axisCustom(left), thresholdsStyle: thresholdStyle(panel) }),
      }),
      overrides: [
        ...colorOverrides(panel.aliasColors),
        ...objectsOf(panel.seriesOverrides).flatMap((override) => seriesOverride(override, right)),
      ],
    },
    options: {
      legend: legendOf(panel),
      tooltip: { mode: objectOf(panel.tooltip).shared === false ? 'single' : 'multi', sort: sortOf(panel.tooltip) },
    },
  }
}

const OLD_ONLY = [
  'xaxis',
  'yaxes',
  'seriesOverrides',
  'aliasColors',
  'legend',
  'tooltip',
  'fieldConfig',
  'options',
  'lines',
  'bars',
  'points',
  'grid',
  'y_formats',
  'thresholds',
  'stack',
  'percentage',
  'steppedLine',
  'fill',
  'linewidth',
  'nullPointMode',
  'renderer',
  'pointradius',
  'dashes',
  'dashLength',
  'spaceLength',
  'fillGradient',
  'hiddenSeries',
]

function base(panel: Json): Json {
  return Object.fromEntries(Object.entries(panel).filter(([name]) => !OLD_ONLY.includes(name)))
}

/** Two value axes; before version 12 their formats stood in `y_formats` and their ends in `grid`. */
function axesOf(panel: Json): [Json, Json] {
  const [left, right] = objectsOf(panel.yaxes)
  if (left !== undefined) return [left, right ?? {}]
  const grid = objectOf(panel.grid)
  const formats = Array.isArray(panel.y_formats) ? panel.y_formats : []
  const labelled = (side: 'left' | 'right', i: number): Json =>
    compact({
      format: formats[i] ?? 'short',
      min: grid[`${side}Min`],
      max: grid[`${side}Max`],
      logBase: grid[`${side}LogBase`],
      label: panel[`${side}YAxisLabel`],
    })
  return [labelled('left', 0), labelled('right', 1)]
}

function axisCustom(axis: Json): Json {
  const logBase = numberOf(axis.logBase) ?? 1
  return compact({
    axisLabel: textOf(axis.label) || undefined,
    axisPlacement: axis.show === false ? 'hidden' : undefined,
    scaleDistribution: logBase > 1 ? { type: 'log', log: logBase } : undefined,
  })
}

function drawing(panel: Json): Json {
  const bars = flagOf(panel.bars)
  const lines = panel.lines !== false
  const fill = numberOf(panel.fill) ?? 1
  return {
    drawStyle: bars && !lines ? 'bars' : bars ? 'bars' : lines ? 'line' : 'points',
    lineInterpolation: flagOf(panel.steppedLine) ? 'stepAfter' : 'linear',
    lineWidth: numberOf(panel.linewidth) ?? 1,
    fillOpacity: bars ? 100 : fill * 10,
    gradientMode: (numberOf(panel.fillGradient) ?? 0) > 0 ? 'opacity' : 'none',
    showPoints: flagOf(panel.points) ? 'always' : 'never',
    pointSize: (numberOf(panel.pointradius) ?? 2) * 2 + 1,
    spanNulls: panel.nullPointMode === 'connected',
    insertNulls: false,
    nullsAsZero: panel.nullPointMode === 'null as zero',
    stacking: { mode: flagOf(panel.stack) ? (flagOf(panel.percentage) ? 'percent' : 'normal') : 'none', group: 'A' },
    ...(flagOf(panel.dashes)
      ? { lineStyle: { fill: 'dash', dash: [numberOf(panel.dashLength) ?? 10, numberOf(panel.spaceLength) ?? 10] } }
      : {}),
  }
}

/** One old override in properties; what the second axis asks for goes along with `yaxis: 2`. */
function seriesOverride(override: Json, right: Json): Json[] {
  const alias = textOf(override.alias)
  if (alias === '') return []
  const pattern = /^\/(.*)\/[a-z]*$/s.exec(alias)
  const properties: Json[] = []
  const set = (id: string, value: unknown) => {
    if (value !== undefined) properties.push({ id, value })
  }
  if (override.bars === true) set('custom.drawStyle', 'bars')
  else if (override.lines === true) set('custom.drawStyle', 'line')
  else if (override.lines === false && override.points === true) set('custom.drawStyle', 'points')
  if (override.lines === false && override.points !== true && override.bars !== true) set('custom.lineWidth', 0)
  set('custom.lineWidth', numberOf(override.linewidth))
  const fill = numberOf(override.fill)
  set('custom.fillOpacity', fill === undefined ? undefined : fill * 10)
  if (override.points === true) set('custom.showPoints', 'always')
  if (override.steppedLine === true) set('custom.lineInterpolation', 'stepAfter')
  if (override.dashes === true) set('custom.lineStyle', { fill: 'dash', dash: [10, 10] })
  if (override.transform === 'negative-Y') set('custom.transform', 'negative-Y')
  if (override.transform === 'constant') set('custom.transform', 'constant')
  if (override.stack === false) set('custom.stacking', { mode: 'none', group: 'A' })
  else if (override.stack !== undefined) set('custom.stacking', { mode: 'normal', group: textOf(override.stack) })
  if (typeof override.color === 'string') set('color', { mode: 'fixed', fixedColor: override.color })
  if (override.legend === false) set('custom.hideFrom', { legend: true, tooltip: false, viz: false })
  if (numberOf(override.yaxis) === 2) {
    set('custom.axisPlacement', 'right')
    set('unit', right.format)
    set('min', numberOf(right.min))
    set('max', numberOf(right.max))
    set('custom.axisLabel', textOf(right.label) || undefined)
  }
  const matcher = pattern ? { id: 'byRegexp', options: alias } : { id: 'byName', options: alias }
  return properties.length === 0 ? [] : [{ matcher, properties }]
}

const CALCS: readonly (readonly [string, string])[] = [
  ['min', 'min'],
  ['max', 'max'],
  ['avg', 'mean'],
  ['current', 'lastNotNull'],
  ['total', 'sum'],
]

function legendOf(panel: Json): Json {
  const legend = objectOf(panel.legend)
  const withValues = legend.values !== false
  return {
    showLegend: legend.show !== false,
    displayMode: flagOf(legend.alignAsTable) ? 'table' : 'list',
    placement: flagOf(legend.rightSide) ? 'right' : 'bottom',
    calcs: withValues ? CALCS.filter(([old]) => flagOf(legend[old])).map(([, calc]) => calc) : [],
    ...(typeof legend.sort === 'string'
      ? { sortBy: STAT_OF[legend.sort] ?? legend.sort, sortDesc: legend.sortDesc }
      : {}),
    hideEmpty: flagOf(legend.hideEmpty),
    hideZero: flagOf(legend.hideZero),
  }
}

function sortOf(tooltip: unknown): string {
  return ['none', 'asc', 'desc'][numberOf(objectOf(tooltip).sort) ?? 0] ?? 'none'
}

function thresholdSteps(panel: Json): Json | undefined {
  const grid = objectOf(panel.grid)
  const oldest = [numberOf(grid.threshold1), numberOf(grid.threshold2)].filter((one) => one !== undefined)
  const limits = objectsOf(panel.thresholds).filter((one) => one.op !== 'lt' && numberOf(one.value) !== undefined)
  const steps =
    limits.length > 0
      ? limits.map((one) => ({
          value: numberOf(one.value),
          color: one.colorMode === 'warning' ? 'orange' : one.colorMode === 'ok' ? 'green' : (one.lineColor ?? 'red'),
        }))
      : oldest.map((value, i) => ({ value, color: i === 0 ? 'orange' : 'red' }))
  if (steps.length === 0) return undefined
  return {
    mode: 'absolute',
    steps: [{ value: null, color: 'transparent' }, ...steps.sort((a, b) => a.value! - b.value!)],
  }
}

function thresholdStyle(panel: Json): Json | undefined {
  const limits = objectsOf(panel.thresholds)
  if (limits.length === 0) return thresholdSteps(panel) === undefined ? undefined : { mode: 'line' }
  const filled = limits.some((one) => one.fill === true)
  return { mode: filled ? (limits.some((one) => one.line === true) ? 'line+area' : 'area') : 'line' }
}

function seriesBars(panel: Json, xaxis: Json): Json {
  const [left] = axesOf(panel)
  const [wanted] = Array.isArray(xaxis.values) ? xaxis.values : []
  return {
    ...base(panel),
    type: 'bargauge',
    options: {
      displayMode: 'basic',
      orientation: 'vertical',
      reduceOptions: { calcs: [STAT_OF[textOf(wanted)] ?? 'sum'] },
      showUnfilled: false,
    },
    fieldConfig: {
      defaults: compact({
        unit: left.format,
        min: numberOf(left.min),
        max: numberOf(left.max),
        color: { mode: 'palette-classic' },
      }),
      overrides: colorOverrides(panel.aliasColors),
    },
  }
}
