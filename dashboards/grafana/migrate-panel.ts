// Brings one panel into the present form, by its type.
import { migrateGraph } from './migrate-graph.ts'
import { colorOverrides, STAT_OF } from './migrate-shared.ts'
import { migrateSinglestat, migrateTable } from './migrate-old-kinds.ts'
import { compact, flagOf, isObject, type Json, numberOf, objectOf, objectsOf, textOf } from './json.ts'

/** Panels of other makers that draw what a panel of ours draws. */
const ALIASES: Readonly<Record<string, string>> = {
  text2: 'text',
  'grafana-piechart-panel': 'piechart',
  'natel-discrete-panel': 'state-timeline',
  'flant-statusmap-panel': 'status-history',
  'michaeldmoore-multistat-panel': 'bargauge',
}

export function migratePanel(input: Json): Json {
  const panel: Json = { ...input, gridPos: objectOf(input.gridPos), targets: targetsOf(input) }
  const type = textOf(panel.type)
  const old = byType(ALIASES[type] ?? type, panel)
  return compact({ ...withoutFieldOptions(old), links: objectsOf(old.links) })
}

function byType(type: string, panel: Json): Json {
  if (type === 'graph') return migrateGraph(panel)
  if (type === 'singlestat' || type === 'grafana-singlestat-panel') return migrateSinglestat(panel)
  if (type === 'table' || type === 'table-old') return migrateTable({ ...panel, type: 'table' })
  if (type === 'text') return migrateText(panel)
  if (type === 'heatmap' && isObject(panel.color)) return migrateHeatmap(panel)
  if (type === 'piechart' && panel.options === undefined) return migratePie(panel)
  if (type === 'dashlist' && panel.options === undefined) return { ...panel, type, options: { ...panel } }
  if (type === 'alertlist' && panel.options === undefined) return { ...panel, type, options: {} }
  return { ...panel, type }
}

/** Gauges and bars between versions 6 and 7 kept their field settings in the options. */
function withoutFieldOptions(panel: Json): Json {
  const options = objectOf(panel.options)
  const fieldConfig = objectOf(panel.fieldConfig)
  const legacy = objectOf(options.fieldOptions)
  const { fieldOptions: _old, valueOptions, ...rest } = options
  if (options.fieldOptions === undefined && valueOptions === undefined) {
    return { ...panel, fieldConfig: normalFieldConfig(fieldConfig), options: tidyOptions(options) }
  }
  const values = objectOf(valueOptions)
  const defaults = {
    ...objectOf(legacy.defaults),
    ...compact({
      unit: values.unit,
      decimals: values.decimals,
      min: numberOf(options.minValue),
      max: numberOf(options.maxValue),
      mappings: legacy.mappings,
      thresholds: Array.isArray(legacy.thresholds) ? { mode: 'absolute', steps: legacy.thresholds } : undefined,
    }),
    ...objectOf(fieldConfig.defaults),
  }
  const calc = textOf(values.stat)
  return {
    ...panel,
    options: {
      ...rest,
      reduceOptions: { calcs: legacy.calcs ?? [calc === '' ? 'lastNotNull' : calc], values: legacy.values === true },
    },
    fieldConfig: normalFieldConfig({ defaults, overrides: legacy.overrides ?? fieldConfig.overrides ?? [] }),
  }
}

function normalFieldConfig({ defaults, overrides }: Json): Json {
  const own = objectOf(defaults)
  return {
    defaults: compact({ ...own, mappings: migrateMappings(own.mappings), thresholds: thresholdsOf(own.thresholds) }),
    overrides: objectsOf(overrides).map((override) => ({
      ...override,
      properties: objectsOf(override.properties).map((property) =>
        property.id === 'mappings' ? { ...property, value: migrateMappings(property.value) } : property,
      ),
    })),
  }
}

function thresholdsOf(value: unknown): unknown {
  return Array.isArray(value) ? { mode: 'absolute', steps: value } : value
}

function tidyOptions(options: Json): Json {
  const legend = objectOf(options.legend)
  const shown = legend.displayMode === 'hidden' ? { ...legend, displayMode: 'list', showLegend: false } : legend
  return { ...options, ...(options.legend === undefined ? {} : { legend: shown }) }
}

/** `[{type: 1, value, text}]` and `[{type: 2, from, to, text}]` became maps and ranges with a result. */
export function migrateMappings(value: unknown): Json[] {
  return objectsOf(value).map((mapping, index) => {
    if (typeof mapping.type === 'string') return mapping
    const result = compact({ text: textOf(mapping.text), color: mapping.color, index })
    if (mapping.type === 2 || mapping.from !== undefined) {
      return {
        type: 'range',
        options: { from: numberOf(mapping.from) ?? null, to: numberOf(mapping.to) ?? null, result },
      }
    }
    if (textOf(mapping.value) === 'null') return { type: 'special', options: { match: 'null', result } }
    return { type: 'value', options: { [textOf(mapping.value)]: result } }
  })
}

function targetsOf(panel: Json): Json[] {
  return objectsOf(panel.targets).map((target, i) => ({
    ...target,
    refId: textOf(target.refId) || String.fromCharCode(65 + (i % 26)),
  }))
}

function migrateText(panel: Json): Json {
  const options = objectOf(panel.options)
  const { mode, content, ...rest } = panel
  return {
    ...rest,
    type: 'text',
    options: { mode: options.mode ?? mode ?? 'markdown', content: options.content ?? content ?? '' },
  }
}

function migratePie(panel: Json): Json {
  const legend = objectOf(panel.legend)
  return {
    ...panel,
    type: 'piechart',
    options: {
      pieType: panel.pieType === 'donut' ? 'donut' : 'pie',
      reduceOptions: { calcs: [STAT_OF[textOf(panel.valueName)] ?? 'lastNotNull'] },
      legend: {
        showLegend: legend.show !== false,
        displayMode: 'table',
        placement: textOf(panel.legendType).startsWith('Right') ? 'right' : 'bottom',
        values: [...(flagOf(legend.values) ? ['value'] : []), ...(flagOf(legend.percentage) ? ['percent'] : [])],
      },
    },
    fieldConfig: {
      defaults: compact({ unit: panel.format, color: { mode: 'palette-classic' } }),
      overrides: colorOverrides(panel.aliasColors),
    },
  }
}

function migrateHeatmap(panel: Json): Json {
  const yAxis = objectOf(panel.yAxis)
  const color = objectOf(panel.color)
  const isBuckets = panel.dataFormat === 'tsbuckets'
  return {
    ...panel,
    type: 'heatmap',
    options: {
      calculate: !isBuckets,
      calculation: {
        yBuckets: { value: textOf(panel.yBucketNumber) },
        xBuckets: { value: textOf(panel.xBucketNumber) },
      },
      color: {
        mode: color.mode === 'opacity' ? 'opacity' : 'scheme',
        scheme: textOf(color.colorScheme).replace(/^interpolate/, '') || 'Oranges',
        fill: color.cardColor,
      },
      yAxis: compact({
        unit: yAxis.format,
        decimals: yAxis.decimals,
        min: yAxis.min,
        max: yAxis.max,
        reverse: panel.reverseYBuckets,
      }),
      legend: { show: objectOf(panel.legend).show !== false },
      rowsFrame: { layout: panel.yBucketBound === 'upper' ? 'le' : panel.yBucketBound === 'lower' ? 'ge' : 'auto' },
    },
    fieldConfig: { defaults: {}, overrides: [] },
  }
}
