// `singlestat` and the first `table`.
import { compact, flagOf, isObject, type Json, listOf, numberOf, objectOf, objectsOf, textOf } from './json.ts'
import { STAT_OF, stepsOf } from './migrate-shared.ts'

export function migrateSinglestat(panel: Json): Json {
  const gauge = objectOf(panel.gauge)
  const isGauge = flagOf(gauge.show)
  const colored = flagOf(panel.colorValue) || flagOf(panel.colorBackground) || isGauge
  const named = panel.valueName === 'name'
  const prefix = textOf(panel.prefix)
  const postfix = textOf(panel.postfix)
  const { valueMaps, rangeMaps, nullText, format, decimals, sparkline, colors, thresholds, valueName, ...rest } = panel
  for (const name of [
    'gauge',
    'prefix',
    'postfix',
    'colorValue',
    'colorBackground',
    'mappingType',
    'mappingTypes',
    'tableColumn',
  ])
    delete rest[name]
  return {
    ...rest,
    type: isGauge ? 'gauge' : 'stat',
    options: {
      reduceOptions: {
        calcs: [STAT_OF[textOf(valueName)] ?? 'mean'],
        values: false,
        fields: columnFilter(panel.tableColumn),
      },
      textMode: named ? 'name' : 'value',
      colorMode: flagOf(panel.colorBackground) ? 'background' : flagOf(panel.colorValue) ? 'value' : 'none',
      graphMode: flagOf(objectOf(sparkline).show) ? 'area' : 'none',
      justifyMode: 'auto',
      ...(prefix === '' ? {} : { prefix }),
      ...(postfix === '' ? {} : { postfix }),
      ...(isGauge
        ? { showThresholdMarkers: gauge.thresholdMarkers !== false, showThresholdLabels: flagOf(gauge.thresholdLabels) }
        : {}),
    },
    fieldConfig: {
      defaults: compact({
        unit: format,
        decimals: numberOf(decimals),
        noValue: textOf(nullText) || undefined,
        min: isGauge ? (numberOf(gauge.minValue) ?? 0) : undefined,
        max: isGauge ? (numberOf(gauge.maxValue) ?? 100) : undefined,
        color: {
          mode: colored ? 'thresholds' : 'fixed',
          ...(colored ? {} : { fixedColor: objectOf(sparkline).lineColor ?? 'text' }),
        },
        thresholds: colored ? stepsOf(thresholds, colors) : undefined,
        mappings: oldMappings(panel.mappingType, valueMaps, rangeMaps),
      }),
      overrides: [],
    },
  }
}

function columnFilter(column: unknown): string {
  const name = textOf(column)
  return name === '' || name === 'Value' ? '' : `/^${name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$/`
}

function oldMappings(mappingType: unknown, valueMaps: unknown, rangeMaps: unknown): Json[] {
  const ranges = objectsOf(rangeMaps).map((one) => ({ type: 2, from: one.from, to: one.to, text: one.text }))
  const values = objectsOf(valueMaps).map((one) => ({ type: 1, value: one.value, text: one.text }))
  const wanted = numberOf(mappingType) === 2 ? ranges : values
  return wanted.filter((one) => textOf(one.text) !== '')
}

const TABLE_TRANSFORMS: Readonly<Record<string, readonly Json[]>> = {
  timeseries_to_columns: [{ id: 'joinByField', options: {} }],
  timeseries_to_rows: [{ id: 'seriesToRows', options: {} }],
  table: [{ id: 'merge', options: {} }],
}

/** Tables with `styles` were columns named by patterns; they become overrides, by name or regular expression. */
export function migrateTable(panel: Json): Json {
  if (panel.styles === undefined && panel.columns === undefined) return tableCells(panel)
  const { styles, columns, transform, sort, fontSize: _f, scroll: _s, showHeader: _h, pageSize: _p, ...rest } = panel
  const kind = textOf(transform, 'table')
  const transformations =
    kind === 'timeseries_aggregations'
      ? [
          {
            id: 'reduce',
            options: { reducers: objectsOf(columns).map((one) => STAT_OF[textOf(one.value)] ?? 'lastNotNull') },
          },
        ]
      : (TABLE_TRANSFORMS[kind] ?? [])
  const fallback = objectsOf(styles).find((style) => style.pattern === '/.*/')
  const sorted = objectOf(sort)
  return {
    ...rest,
    type: 'table',
    targets: objectsOf(panel.targets).map((target) =>
      kind === 'table' ? { ...target, format: target.format ?? 'table' } : target,
    ),
    transformations: [...transformations, ...objectsOf(panel.transformations)],
    fieldConfig: {
      defaults: compact({
        unit: fallback?.unit,
        decimals: numberOf(fallback?.decimals),
        custom: { align: 'auto', filterable: false },
      }),
      overrides: objectsOf(styles)
        .filter((style) => style !== fallback)
        .map(styleOverride),
    },
    options: {
      showHeader: true,
      ...(numberOf(sorted.col) === undefined
        ? {}
        : { sortByColumn: numberOf(sorted.col), sortDesc: sorted.desc !== false }),
    },
  }
}

function styleOverride(style: Json): Json {
  const pattern = textOf(style.pattern)
  const properties: Json[] = []
  const set = (id: string, value: unknown) => {
    if (value !== undefined && value !== '') properties.push({ id, value })
  }
  set('displayName', textOf(style.alias))
  if (style.type === 'hidden') set('custom.hidden', true)
  if (style.type === 'date') set('unit', `time: ${textOf(style.dateFormat, 'YYYY-MM-DD HH:mm:ss')}`)
  if (style.type === 'number') set('unit', style.unit)
  set('decimals', style.type === 'number' ? numberOf(style.decimals) : undefined)
  set('custom.align', style.align === 'auto' ? undefined : style.align)
  if (isObject(style.colorMode) || (typeof style.colorMode === 'string' && style.colorMode !== '')) {
    set('custom.cellOptions', { type: style.colorMode === 'value' ? 'color-text' : 'color-background' })
    set('thresholds', stepsOf(listOf(style.thresholds), style.colors))
  }
  if (flagOf(style.link)) {
    set('links', [
      { title: textOf(style.linkTooltip), url: textOf(style.linkUrl), targetBlank: flagOf(style.linkTargetBlank) },
    ])
  }
  const mappings = oldMappings(style.mappingType, style.valueMaps, style.rangeMaps)
  if (mappings.length > 0) set('mappings', mappings)
  const isRegex = pattern.startsWith('/') && pattern.length > 1
  return { matcher: { id: isRegex ? 'byRegexp' : 'byName', options: pattern }, properties }
}

const CELLS: Readonly<Record<string, Json>> = {
  'color-background': { type: 'color-background', mode: 'gradient' },
  'color-background-solid': { type: 'color-background', mode: 'basic' },
  'gradient-gauge': { type: 'gauge', mode: 'gradient' },
  'lcd-gauge': { type: 'gauge', mode: 'lcd' },
  basic: { type: 'gauge', mode: 'basic' },
}

/** `displayMode` became `cellOptions`. */
function tableCells(panel: Json): Json {
  const cell = (mode: unknown): Json => CELLS[textOf(mode)] ?? { type: textOf(mode) }
  const fieldConfig = objectOf(panel.fieldConfig)
  const defaults = objectOf(fieldConfig.defaults)
  const { displayMode, ...custom } = objectOf(defaults.custom)
  return {
    ...panel,
    fieldConfig: {
      ...fieldConfig,
      defaults: {
        ...defaults,
        custom: { ...custom, ...(displayMode === undefined ? {} : { cellOptions: cell(displayMode) }) },
      },
      overrides: objectsOf(fieldConfig.overrides).map((override) => ({
        ...override,
        properties: objectsOf(override.properties).map((property) =>
          property.id === 'custom.displayMode' ? { id: 'custom.cellOptions', value: cell(property.value) } : property,
        ),
      })),
    },
  }
}
