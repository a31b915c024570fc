// The chart host on Chart.js' core with our controller and axes; no animation, events, plug-ins or elements.
import { Chart, type ChartConfiguration, PointElement, type Scale } from 'chart.js'
import type { Theme } from '../../model/series-color.ts'
import type { ChartContent, ChartHostFactory, PlotArea } from './chart-host.ts'
import { PromLineController, type PromLineDataset } from './prom-line.ts'
import { GUTTER_PX, PromTimeScale, PromValueScale } from './prom-scales.ts'

Chart.register(PromLineController, PromTimeScale, PromValueScale, PointElement)

const AXIS_COLORS: Readonly<Record<Theme, { text: string; grid: string }>> = {
  light: { text: '#5a6472', grid: '#e6e9ee' },
  dark: { text: '#8d97a7', grid: '#242a34' },
}
const EMPTY: ChartContent = {
  frame: { x: new Float64Array(), ys: [], labels: [] },
  styles: [],
  fromMs: 0,
  toMs: 1,
  unit: 'short',
  stack: false,
  fill: false,
  log: false,
  limits: [],
  theme: 'dark',
  zone: 'browser',
}

export const createChartJsHost: ChartHostFactory = (canvas) => {
  const dataset: PromLineDataset & { data: never[] } = { data: [], content: EMPTY }
  const chart = new Chart(canvas, configuration(dataset))
  const axis = (name: 'x' | 'y') => chart.scales[name] as Scale
  return {
    draw(content) {
      dataset.content = content
      chart.update('none')
    },
    resize(width, height) {
      chart.resize(width, height)
    },
    get plot(): PlotArea {
      const { left, top, width, height } = chart.chartArea
      return { left, top, width, height }
    },
    timeAt: (px) => axis('x').getValueForPixel(px) ?? Number.NaN,
    pixelAtTime: (atMs) => axis('x').getPixelForValue(atMs),
    pixelAtValue: (value) => axis('y').getPixelForValue(value),
    destroy: () => chart.destroy(),
  }
}

function configuration(dataset: PromLineDataset & { data: never[] }): ChartConfiguration<'promline'> {
  const colors = () => AXIS_COLORS[dataset.content.theme]
  const font = { size: 10.5, family: 'system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif' }
  const ticks = { autoSkip: false, maxRotation: 0, padding: 4, font, color: () => colors().text }
  return {
    type: 'promline',
    data: { datasets: [dataset] },
    options: {
      responsive: false,
      maintainAspectRatio: false,
      animation: false,
      events: [],
      layout: { autoPadding: false, padding: { top: 8, right: 8, bottom: 0, left: 0 } },
      scales: {
        x: {
          type: 'promtime',
          border: { display: false },
          grid: { drawTicks: false, color: () => colors().grid },
          ticks: { ...ticks, align: 'center' },
        },
        y: {
          type: 'promvalue',
          border: { display: false },
          grid: { drawTicks: false, color: () => colors().grid },
          ticks,
          afterFit(scale: Scale) {
            scale.width = GUTTER_PX
          },
        },
      },
    },
  } as unknown as ChartConfiguration<'promline'>
}
