/** Dashboards written by hand: one with a panel of every kind, one in the oldest form that is met. */

export const HOSTILE = '"><img src=x onerror="document.title=\'owned\'">\u202e'

const at = (x: number, y: number, w = 8, h = 7) => ({ x, y, w, h })
const queries = (...exprs: string[]) => exprs.map((expr, i) => ({ refId: 'ABCD'[i], expr, legendFormat: '{{job}}' }))
const instant = (expr: string, format = 'time_series') => [
  { refId: 'A', expr, instant: true, range: false, format, legendFormat: '{{job}}' },
]

export const BOARD = {
  uid: 'every',
  title: 'Every kind of panel',
  tags: ['fixture'],
  schemaVersion: 39,
  graphTooltip: 1,
  time: { from: 'now-5m', to: 'now' },
  refresh: '5s',
  templating: {
    list: [
      { name: 'ds', type: 'datasource', query: 'prometheus' },
      {
        name: 'job',
        type: 'query',
        query: { query: 'label_values(up, job)', refId: 'x' },
        multi: true,
        includeAll: true,
        refresh: 2,
        sort: 1,
        current: { text: ['All'], value: ['$__all'] },
      },
      {
        name: 'instance',
        type: 'query',
        query: 'label_values(up{job=~"$job"}, instance)',
        refresh: 1,
        regex: '/(.*)/',
      },
      { name: 'window', type: 'interval', query: '30s,1m,5m', current: { text: '30s', value: '30s' } },
      { name: 'word', type: 'textbox', query: HOSTILE },
      { name: 'pick', type: 'custom', query: 'one : 1, two : 2' },
      { name: 'fixed', type: 'constant', query: 'k', hide: 2 },
    ],
  },
  annotations: {
    list: [
      {
        name: 'starts',
        enable: true,
        expr: 'changes(process_start_time_seconds[1m]) > 0',
        titleFormat: '{{job}} started',
        iconColor: 'orange',
      },
    ],
  },
  links: [{ title: 'Others', type: 'dashboards', tags: ['fixture'], asDropdown: true, keepTime: true }],
  panels: [
    {
      id: 1,
      type: 'timeseries',
      title: HOSTILE,
      gridPos: at(0, 0),
      targets: queries('up{job=~"$job"}', 'rate(process_cpu_seconds_total[$__rate_interval])'),
      fieldConfig: {
        defaults: {
          unit: 'short',
          custom: { fillOpacity: 20, thresholdsStyle: { mode: 'line+area' } },
          thresholds: {
            mode: 'absolute',
            steps: [
              { value: null, color: 'green' },
              { value: 0.8, color: 'red' },
            ],
          },
        },
        overrides: [
          {
            matcher: { id: 'byFrameRefID', options: 'B' },
            properties: [
              { id: 'custom.axisPlacement', value: 'right' },
              { id: 'custom.transform', value: 'negative-Y' },
              { id: 'unit', value: 'percentunit' },
            ],
          },
        ],
      },
      options: { legend: { displayMode: 'table', placement: 'bottom', calcs: ['mean', 'max'] } },
    },
    {
      id: 2,
      type: 'stat',
      title: 'Targets',
      gridPos: at(8, 0, 4),
      targets: queries('count(up)'),
      fieldConfig: {
        defaults: {
          thresholds: {
            mode: 'absolute',
            steps: [
              { value: null, color: 'red' },
              { value: 1, color: 'green' },
            ],
          },
          color: { mode: 'thresholds' },
        },
        overrides: [],
      },
      options: { colorMode: 'background' },
    },
    {
      id: 3,
      type: 'gauge',
      title: 'Memory',
      gridPos: at(12, 0, 4),
      targets: queries('process_resident_memory_bytes{job="belltower"}'),
      fieldConfig: {
        defaults: {
          unit: 'bytes',
          min: 0,
          max: 1e9,
          thresholds: {
            mode: 'percentage',
            steps: [
              { value: null, color: 'green' },
              { value: 80, color: 'red' },
            ],
          },
        },
        overrides: [],
      },
    },
    {
      id: 4,
      type: 'bargauge',
      title: 'Scrapes',
      gridPos: at(16, 0),
      targets: instant('scrape_samples_scraped'),
      options: { displayMode: 'lcd', orientation: 'horizontal' },
    },
    {
      id: 5,
      type: 'table',
      title: 'Targets in a table',
      gridPos: at(0, 7),
      targets: instant('up', 'table'),
      transformations: [
        { id: 'organize', options: { excludeByName: { Time: true, __name__: true }, renameByName: { job: 'Job' } } },
      ],
      fieldConfig: {
        defaults: { mappings: [{ type: 'value', options: { 1: { text: 'yes', color: 'green' } } }] },
        overrides: [
          {
            matcher: { id: 'byName', options: 'Value' },
            properties: [{ id: 'custom.cellOptions', value: { type: 'color-background' } }],
          },
        ],
      },
    },
    {
      id: 6,
      type: 'heatmap',
      title: 'Durations',
      gridPos: at(8, 7),
      targets: queries('scrape_duration_seconds'),
      options: { calculate: true },
    },
    { id: 7, type: 'state-timeline', title: 'Up over time', gridPos: at(16, 7), targets: queries('up') },
    { id: 8, type: 'status-history', title: 'Up by step', gridPos: at(0, 14), targets: queries('up') },
    {
      id: 9,
      type: 'piechart',
      title: 'Samples',
      gridPos: at(8, 14),
      targets: instant('scrape_samples_scraped'),
      options: { pieType: 'donut', legend: { placement: 'right', values: ['percent'] } },
    },
    { id: 10, type: 'barchart', title: 'Bars', gridPos: at(16, 14), targets: instant('scrape_samples_scraped') },
    { id: 11, type: 'histogram', title: 'Counts', gridPos: at(0, 21), targets: queries('scrape_duration_seconds') },
    {
      id: 12,
      type: 'text',
      title: 'Words',
      gridPos: at(8, 21),
      options: { mode: 'markdown', content: '**bold** [link](/d/old-board) <img src=x onerror=alert(1)> $word' },
    },
    { id: 13, type: 'alertlist', title: 'Alerts', gridPos: at(16, 21) },
    { id: 14, type: 'dashlist', title: 'Boards', gridPos: at(0, 28), options: { showStarred: false } },
    { id: 90, type: 'geomap', title: 'Where', gridPos: at(8, 28) },
    {
      id: 20,
      type: 'stat',
      title: 'Up of $job',
      repeat: 'job',
      maxPerRow: 4,
      gridPos: at(0, 35, 24, 4),
      targets: queries('sum(up{job="$job"})'),
    },
  ],
}

export const OLD_BOARD = {
  uid: 'old-board',
  title: 'An old board',
  schemaVersion: 12,
  sharedCrosshair: true,
  rows: [
    {
      title: 'Open',
      height: '250px',
      panels: [
        {
          id: 1,
          type: 'graph',
          title: 'CPU',
          span: 8,
          stack: true,
          fill: 3,
          targets: [{ expr: 'rate(process_cpu_seconds_total[1m])', legendFormat: '{{instance}}' }],
          yaxes: [{ format: 'percentunit', min: 0 }, { format: 'short' }],
          legend: { show: true, values: true, avg: true, max: true, alignAsTable: true },
        },
        {
          id: 2,
          type: 'singlestat',
          title: 'Up',
          span: 4,
          format: 'none',
          valueName: 'current',
          sparkline: { show: true },
          targets: [{ expr: 'sum(up)' }],
        },
      ],
    },
    {
      title: 'Folded',
      collapse: true,
      panels: [
        {
          id: 3,
          type: 'singlestat',
          title: 'Share',
          span: 4,
          format: 'percentunit',
          gauge: { show: true, maxValue: 1 },
          thresholds: '0.5,0.9',
          targets: [{ expr: 'avg(up)' }],
        },
      ],
    },
  ],
}
