// The dashboard of the pictures, as a Grafana file has it.
const panel = (id, type, title, x, y, w, h, exprs, unit, more = {}) => ({
  id,
  type,
  title,
  gridPos: { x, y, w, h },
  targets: exprs.map(([expr, legendFormat], i) => ({ refId: 'ABCD'[i], expr, legendFormat })),
  fieldConfig: {
    defaults: { unit, custom: { fillOpacity: 15, ...more.custom }, ...more.defaults },
    overrides: more.overrides ?? [],
  },
  options: { legend: { displayMode: 'list', placement: 'bottom', calcs: [] }, ...more.options },
})
const limits = (warn, crit) => ({
  thresholds: {
    mode: 'absolute',
    steps: [
      { value: null, color: 'green' },
      { value: warn, color: 'orange' },
      { value: crit, color: 'red' },
    ],
  },
  color: { mode: 'thresholds' },
})
const BUSY = '1 - avg(rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))'
/** One panel of most kinds. */
export const tourBoard = {
  uid: 'tour',
  title: 'Tour of a host',
  tags: ['host'],
  graphTooltip: 1,
  refresh: 'off',
  time: { from: 'now-5m', to: 'now' },
  templating: {
    list: [
      {
        name: 'job',
        type: 'query',
        query: 'label_values(up, job)',
        multi: true,
        includeAll: true,
        current: { value: ['$__all'] },
      },
    ],
  },
  panels: [
    panel(1, 'stat', 'Targets up', 0, 0, 4, 4, [['sum(up)', 'up']], 'none', {
      defaults: limits(100, 200),
      options: { colorMode: 'background' },
    }),
    panel(2, 'gauge', 'CPU busy', 4, 0, 4, 4, [[BUSY, 'busy']], 'percentunit', {
      defaults: { min: 0, max: 1, ...limits(0.7, 0.9) },
    }),
    panel(3, 'bargauge', 'Samples per scrape', 8, 0, 8, 4, [['scrape_samples_scraped > 0', '{{job}}']], 'short', {
      options: { orientation: 'horizontal', displayMode: 'lcd' },
      defaults: { min: 0, ...limits(500, 1500) },
    }),
    panel(
      4,
      'piechart',
      'Memory',
      16,
      0,
      8,
      4,
      [
        ['node_memory_MemAvailable_bytes', 'available'],
        ['node_memory_Cached_bytes', 'cached'],
        ['node_memory_Slab_bytes', 'slab'],
      ],
      'bytes',
      { options: { pieType: 'donut', legend: { placement: 'right', values: ['percent'] } } },
    ),
    panel(
      5,
      'timeseries',
      'CPU by mode',
      0,
      4,
      12,
      8,
      [['sum by (mode) (rate(node_cpu_seconds_total{mode!="idle"}[$__rate_interval]))', '{{mode}}']],
      'percentunit',
      { custom: { stacking: { mode: 'normal', group: 'A' }, fillOpacity: 45, lineInterpolation: 'smooth' } },
    ),
    panel(
      6,
      'timeseries',
      'Network',
      12,
      4,
      12,
      8,
      [
        [
          'sum by (device) (rate(node_network_receive_bytes_total{device!~"lo|ifb.*"}[$__rate_interval]))',
          '{{device}} in',
        ],
        [
          'sum by (device) (rate(node_network_transmit_bytes_total{device!~"lo|ifb.*"}[$__rate_interval]))',
          '{{device}} out',
        ],
      ],
      'Bps',
      {
        overrides: [
          {
            matcher: { id: 'byRegexp', options: '/out$/' },
            properties: [{ id: 'custom.transform', value: 'negative-Y' }],
          },
        ],
      },
    ),
    panel(7, 'heatmap', 'Scrape durations', 0, 12, 12, 7, [['scrape_duration_seconds', '{{job}}']], 's', {
      options: { calculate: true, yAxis: { unit: 's' } },
    }),
    panel(8, 'state-timeline', 'Targets over time', 12, 12, 12, 7, [['up{job=~"$job"}', '{{job}}']], 'none', {
      defaults: {
        mappings: [
          { type: 'value', options: { 1: { text: 'up', color: 'green' }, 0: { text: 'down', color: 'red' } } },
        ],
      },
    }),
  ],
}
