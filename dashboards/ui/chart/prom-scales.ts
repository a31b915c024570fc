// Axes for Chart.js: round values in the unit's base, round instants on the calendar, and equal gutters on every panel.
import { LinearScale, type Tick } from 'chart.js'
import { timeTicks, type ValueAxis, logAxis, valueAxis } from '../../model/ticks.ts'
import { formatValue, unitBase } from '../../model/units.ts'
import type { ChartContent } from './chart-host.ts'
import type { PromLineDataset } from './prom-line.ts'

/** Width of every value axis, so that the panels of a column share their time axis. */
export const GUTTER_PX = 62
const VALUE_TICK_SPACING_PX = 34
const TIME_TICK_SPACING_PX = 62

function contentOf(scale: LinearScale): ChartContent {
  return (scale.chart.data.datasets[0] as unknown as PromLineDataset).content
}

export class PromTimeScale extends LinearScale {
  static override id = 'promtime'

  override determineDataLimits(): void {
    const { fromMs, toMs } = contentOf(this)
    this.min = fromMs
    this.max = toMs
  }

  override buildTicks(): Tick[] {
    const { zone } = contentOf(this)
    const width = this.chart.width - GUTTER_PX
    const ticks = timeTicks(this.min, this.max, Math.max(2, Math.floor(width / TIME_TICK_SPACING_PX)), zone)
    return ticks.map(({ atMs, label }) => ({ value: atMs, label }))
  }

  override generateTickLabels(): void {} // buildTicks wrote them.
}

export class PromValueScale extends LinearScale {
  static override id = 'promvalue'
  #axis: ValueAxis = { min: 0, max: 1, ticks: [] }

  override determineDataLimits(): void {
    const content = contentOf(this)
    const data = this.getMinMax(false)
    const tickCountMax = Math.max(2, Math.floor(this.chart.height / VALUE_TICK_SPACING_PX))
    this.#axis = content.log
      ? logAxis(data.min, data.max, tickCountMax)
      : valueAxis(
          Math.min(data.min, content.min ?? data.min),
          Math.max(data.max, content.min ?? data.max),
          tickCountMax,
          unitBase(content.unit),
        )
    this.min =
      content.min !== undefined && data.min >= content.min ? Math.max(this.#axis.min, content.min) : this.#axis.min
    this.max = content.max === undefined ? this.#axis.max : Math.min(this.#axis.max, content.max)
  }

  override buildTicks(): Tick[] {
    const { unit } = contentOf(this)
    return this.#axis.ticks
      .filter((value) => value >= this.min && value <= this.max)
      .map((value) => ({ value, label: formatValue(Math.abs(value), unit) }))
  }

  override generateTickLabels(): void {}

  override getPixelForValue(value: number): number {
    if (!contentOf(this).log) return super.getPixelForValue(value, 0)
    const low = Math.log10(this.min)
    return this.getPixelForDecimal((Math.log10(value) - low) / (Math.log10(this.max) - low))
  }
}
