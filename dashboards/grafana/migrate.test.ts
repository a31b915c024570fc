import { expect, test } from 'vitest'
import { readDashboard } from './dashboard.ts'
import { DashboardFormatError, migrateDashboard } from './migrate.ts'

const panelsOf = (board: unknown) => readDashboard(board).sections.flatMap((section) => section.panels)
const only = (panel: Record<string, unknown>, more: object = {}) =>
  panelsOf({ title: 't', panels: [{ id: 1, ...panel }], ...more })[0]!

test('rows of twelfths become places on the grid; a folded row keeps its panels', () => {
  const { sections } = readDashboard({
    title: 'old',
    rows: [
      {
        title: 'One',
        showTitle: true,
        height: '250px',
        panels: [
          { id: 1, type: 'graph', span: 6 },
          { id: 2, type: 'stat', span: 6 },
          { id: 3, type: 'text', span: 12 },
        ],
      },
      { title: 'Two', collapse: true, panels: [{ id: 4, type: 'graph', span: 4 }] },
    ],
  })
  expect(
    sections.map(({ row, panels }) => [
      row?.title,
      row?.collapsed,
      panels.map(({ type, gridPos }) => [type, gridPos.x, gridPos.w, gridPos.h]),
    ]),
  ).toEqual([
    [
      'One',
      false,
      [
        ['timeseries', 0, 12, 7],
        ['stat', 12, 12, 7],
        ['text', 0, 24, 7],
      ],
    ],
    ['Two', true, [['timeseries', 0, 8, 7]]],
  ])
})

test('a graph brings its drawing, axes, overrides and legend', () => {
  const panel = only({
    type: 'graph',
    stack: true,
    percentage: true,
    steppedLine: true,
    fill: 4,
    linewidth: 2,
    nullPointMode: 'null as zero',
    yaxes: [{ format: 'bytes', min: '0', logBase: 10 }, { format: 'percent' }],
    aliasColors: { used: '#ff0000' },
    seriesOverrides: [{ alias: '/out.*/', transform: 'negative-Y', yaxis: 2 }],
    legend: { show: true, alignAsTable: true, rightSide: true, values: true, avg: true, current: true },
    thresholds: [{ value: 90, op: 'gt', line: true, colorMode: 'critical' }],
  })
  expect(panel.fieldConfig.defaults).toMatchObject({
    unit: 'bytes',
    min: 0,
    custom: {
      lineInterpolation: 'stepAfter',
      lineWidth: 2,
      fillOpacity: 40,
      stacking: { mode: 'percent' },
      nullsAsZero: true,
      scaleDistribution: { type: 'log', log: 10 },
      thresholdsStyle: { mode: 'line' },
    },
  })
  expect(panel.fieldConfig.overrides[1]).toEqual({
    matcher: { id: 'byRegexp', options: '/out.*/' },
    properties: [
      { id: 'custom.transform', value: 'negative-Y' },
      { id: 'custom.axisPlacement', value: 'right' },
      { id: 'unit', value: 'percent' },
    ],
  })
  expect(panel.options.legend).toMatchObject({
    displayMode: 'table',
    placement: 'right',
    calcs: ['mean', 'lastNotNull'],
  })
})

test('a single stat becomes a stat, or a gauge where it was one', () => {
  const stat = only({
    type: 'singlestat',
    format: 's',
    valueName: 'avg',
    postfix: ' up',
    colorValue: true,
    thresholds: '1,2',
    colors: ['red', 'orange', 'green'],
    valueMaps: [{ value: 'null', text: 'N/A' }],
  })
  expect(stat.options).toMatchObject({ reduceOptions: { calcs: ['mean'] }, colorMode: 'value', postfix: ' up' })
  expect(stat.fieldConfig.defaults).toMatchObject({
    unit: 's',
    thresholds: { steps: [{ color: 'red' }, { value: 1, color: 'orange' }, { value: 2, color: 'green' }] },
    mappings: [{ type: 'special', options: { match: 'null', result: { text: 'N/A' } } }],
  })
  expect(only({ type: 'singlestat', gauge: { show: true, maxValue: 5 } })).toMatchObject({
    type: 'gauge',
    fieldConfig: { defaults: { min: 0, max: 5 } },
  })
})

test('styles of the first table become overrides', () => {
  const table = only({
    type: 'table',
    transform: 'table',
    styles: [
      { pattern: 'Time', type: 'hidden' },
      { pattern: '/.*/', unit: 'short', type: 'number' },
      {
        pattern: 'Value',
        alias: 'CPU',
        type: 'number',
        unit: 'percent',
        colorMode: 'cell',
        thresholds: ['50', '80'],
        colors: ['green', 'orange', 'red'],
      },
    ],
    targets: [{ expr: 'up' }],
  })
  expect(table.targets[0]).toMatchObject({ format: 'table', refId: 'A' })
  expect(
    table.fieldConfig.overrides.map(({ matcher, properties }) => [matcher.options, properties.map(({ id }) => id)]),
  ).toEqual([
    ['Time', ['custom.hidden']],
    ['Value', ['displayName', 'unit', 'custom.cellOptions', 'thresholds']],
  ])
})

test('old text panels, legends that are hidden, stored clones, ids that are missing', () => {
  expect(only({ type: 'text', mode: 'html', content: '<b>x</b>' }).options).toEqual({
    mode: 'html',
    content: '<b>x</b>',
  })
  expect(only({ type: 'timeseries', options: { legend: { displayMode: 'hidden' } } }).options.legend).toMatchObject({
    showLegend: false,
  })
  expect(
    panelsOf({
      panels: [
        { id: 1, type: 'stat' },
        { id: 2, type: 'stat', repeatPanelId: 1 },
        { id: 1, type: 'stat' },
        { type: 'stat' },
      ],
    }).map(({ id }) => id),
  ).toEqual([1, 2, 3])
})

test('the newest form: elements and a layout of rows', () => {
  const element = {
    kind: 'Panel',
    spec: {
      id: 7,
      title: 'CPU',
      vizConfig: { kind: 'timeseries', spec: { options: {}, fieldConfig: { defaults: { unit: 's' }, overrides: [] } } },
      data: {
        spec: {
          queries: [{ spec: { refId: 'A', hidden: false, query: { kind: 'prometheus', spec: { expr: 'up' } } } }],
        },
      },
    },
  }
  const item = { kind: 'GridLayoutItem', spec: { x: 2, y: 0, width: 10, height: 5, element: { name: 'a' } } }
  const board = readDashboard({
    apiVersion: 'dashboard/v2',
    kind: 'Dashboard',
    metadata: { name: 'u1' },
    spec: {
      title: 'V2',
      cursorSync: 'Crosshair',
      timeSettings: { from: 'now-2h', to: 'now' },
      elements: { a: element },
      variables: [{ kind: 'CustomVariable', spec: { name: 'x', query: '1,2', hide: 'dontHide' } }],
      layout: {
        kind: 'RowsLayout',
        spec: {
          rows: [
            {
              kind: 'RowsLayoutRow',
              spec: { title: 'R', collapse: false, layout: { kind: 'GridLayout', spec: { items: [item] } } },
            },
          ],
        },
      },
    },
  })
  expect(board).toMatchObject({ uid: 'u1', title: 'V2', graphTooltip: 1, time: { from: 'now-2h' } })
  expect(board.sections[0]).toMatchObject({
    row: { title: 'R' },
    panels: [
      { id: 7, type: 'timeseries', targets: [{ expr: 'up' }], gridPos: { x: 2, w: 10, h: 5 }, placeholder: undefined },
    ],
  })
  expect(board.variables[0]).toMatchObject({ name: 'x', type: 'custom', query: '1,2' })
})

test.each([
  [{ type: 'geomap' }, 'Panels of the kind “geomap” cannot be drawn here.'],
  [
    { type: 'timeseries', datasource: { type: 'loki', uid: 'x' }, targets: [{ expr: '{a="b"}' }] },
    'Its queries are for loki, which is not part of this server.',
  ],
  [{ type: 'timeseries', datasource: '${DS_PROMETHEUS}', targets: [{ expr: 'up' }] }, undefined],
  [{ type: 'timeseries', datasource: null, targets: [{ expr: 'up' }] }, undefined],
  [
    {
      type: 'timeseries',
      datasource: { uid: '-- Mixed --' },
      targets: [{ expr: 'up', datasource: { type: 'prometheus', uid: 'p' } }],
    },
    undefined,
  ],
  [
    { type: 'stat', targets: [{ rawSql: 'select 1' }] },
    'Its queries are for another kind of data source, which is not part of this server.',
  ],
])('%j is a placeholder for its reason', (panel, want) => {
  expect(only(panel).placeholder).toBe(want)
})

test.each([undefined, null, 7, 'x', [], {}])('%j is no dashboard', (input) => {
  expect(() => migrateDashboard(input)).toThrow(DashboardFormatError)
})

test('refresh, time and hidden variables of any age', () => {
  const board = readDashboard({
    title: 't',
    refresh: false,
    sharedCrosshair: true,
    templating: {
      list: [
        {
          name: 'a',
          type: 'query',
          query: { query: 'label_values(up, job)', refId: 'x' },
          refresh: true,
          hideVariable: true,
          current: { text: ['x', 'y'], value: ['1', '2'] },
        },
        { name: 'c', type: 'constant', query: 'k' },
      ],
    },
  })
  expect(board).toMatchObject({ refresh: '', graphTooltip: 1, time: { from: 'now-6h', to: 'now' } })
  expect(board.variables).toMatchObject([
    {
      name: 'a',
      query: 'label_values(up, job)',
      refresh: 1,
      hide: 2,
      current: [
        { text: 'x', value: '1' },
        { text: 'y', value: '2' },
      ],
    },
    { name: 'c', type: 'textbox' },
  ])
})
