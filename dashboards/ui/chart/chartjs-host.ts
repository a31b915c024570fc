// The chart host on Chart.js' core with our controller and axes; no animation, events, plug-ins or elements.
import { Chart, type ChartConfiguration, PointElement, type Scale } from 'chart.js'
import type { Theme } from '../../model/series-color.ts'
import type { ChartContent, ChartHostFactory, PlotArea } from './chart-host.ts'
import { PromLineController, type PromLineDataset } from './prom-line.ts'
import { EDGE_PX, GUTTER_PX, PromTimeScale, PromValueScale } from './prom-scales.ts'

Chart.register(PromLineController, PromTimeScale, PromValueScale, PointElement)

const TITLE_PX = 14
const AXIS_COLORS: Readonly<Record<Theme, { text: string; grid: string }>> = {
  light: { text: '#5a6472', grid: '#e6e9ee' },
  dark: { text: '#8d97a7', grid: '#242a34' },
}
const HIDDEN_GUTTER_PX = 10

export const createChartJsHost: ChartHostFactory = (canvas, first, firstWidth, firstHeight) => {
  const dataset: PromLineDataset & { data: never[] } = { data: [], content: first }
  // Chart.js takes its size from the canvas and draws when it is made.
  canvas.width = firstWidth
  canvas.height = firstHeight
  canvas.style.width = `${firstWidth}px`
  canvas.style.height = `${firstHeight}px`
  const chart = new Chart(canvas, configuration(dataset))
  const axis = (name: 'x' | 'y') => chart.scales[name] as Scale
  return {
    draw(content, width, height) {
      dataset.content = content
      const scales = chart.options.scales as unknown as Record<'y2', { display: boolean }>
      scales.y2.display = content.y2 !== undefined
      // Either draws.
      if (chart.width === width && chart.height === height) chart.update('none')
      else chart.resize(width, height)
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

/** Widths beside the plot, as the axes take them. */
export function plotGutters({ y, y2 }: ChartContent): { left: number; right: number } {
  const width = (axis: ChartContent['y']) =>
    axis.hidden ? HIDDEN_GUTTER_PX : GUTTER_PX + (axis.label === '' ? 0 : TITLE_PX)
  return { left: width(y), right: EDGE_PX + (y2 === undefined ? 0 : width(y2)) }
}

function configuration(dataset: PromLineDataset & { data: never[] }): ChartConfiguration<'promline'> {
  const colors = () => AXIS_COLORS[dataset.content.theme]
  const font = { size: 10.5, family: 'system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif' }
  const hidden = (scale: { id: string }) =>
    (scale.id === 'y2' ? dataset.content.y2 : scale.id === 'y' ? dataset.content.y : undefined)?.hidden === true
  const ticks = {
    autoSkip: false,
    maxRotation: 0,
    padding: 4,
    font,
    color: ({ scale }: { scale: { id: string } }) => (hidden(scale) ? 'transparent' : colors().text),
  }
  const axisTitle = (axis: 'y' | 'y2') => ({
    display: () => (dataset.content[axis]?.label ?? '') !== '',
    text: () => dataset.content[axis]?.label ?? '',
    color: () => colors().text,
    font,
    padding: 0,
  })
  return {
    type: 'promline',
    data: { datasets: [dataset] },
    options: {
      responsive: false,
      maintainAspectRatio: false,
      animation: false,
      events: [],
      layout: { autoPadding: false, padding: { top: 8, right: EDGE_PX, bottom: 0, left: 0 } },
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
          title: axisTitle('y'),
          afterFit(scale: Scale) {
            scale.width = plotGutters(dataset.content).left
          },
        },
        y2: {
          type: 'promvalue',
          position: 'right',
          display: dataset.content.y2 !== undefined,
          border: { display: false },
          grid: { display: false, drawTicks: false },
          ticks,
          title: axisTitle('y2'),
          afterFit(scale: Scale) {
            scale.width = plotGutters(dataset.content).right - EDGE_PX
          },
        },
      },
    },
  } as unknown as ChartConfiguration<'promline'>
}
