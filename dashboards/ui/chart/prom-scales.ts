// Axes for Chart.js: round values in the unit's base, round instants on the calendar, and equal gutters on every panel.
import { LinearScale, type Tick } from 'chart.js'
import { timeTicks, type ValueAxis, logAxis, valueAxis } from '../../model/ticks.ts'
import { columnsExtent } from '../../model/frame.ts'
import { unitBase } from '../../model/units.ts'
import type { ChartContent, ValueAxisStyle } from './chart-host.ts'
import { drawnColumns } from './drawn-columns.ts'
import type { PromLineDataset } from './prom-line.ts'

/** Width of every value axis, so that the panels of a column share their time axis. */
export const GUTTER_PX = 62
const VALUE_TICK_SPACING_PX = 34
const TIME_TICK_SPACING_PX = 62

/** Free room right of the plot. */
export const EDGE_PX = 8
const CHARACTER_PX = 5.8
/** Height of a tick's text. Its width is not asked for: gutters are fixed and ticks are placed with room. */
const LABEL_PX = 12.6
const LABEL_SIZE = { width: 0, height: LABEL_PX }
const LABEL_SIZES = {
  first: LABEL_SIZE,
  last: LABEL_SIZE,
  widest: LABEL_SIZE,
  highest: LABEL_SIZE,
  widths: [],
  heights: [],
}

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
    const width = this.chart.width - GUTTER_PX * (contentOf(this).y2 === undefined ? 1 : 2)
    const ticks = timeTicks(this.min, this.max, Math.max(2, Math.floor(width / TIME_TICK_SPACING_PX)), zone)
    // A text that would be cut off at the right edge is left out; its line stays.
    const msPerPx = (this.max - this.min) / width
    const lastMs = (label: string) => this.max + (EDGE_PX - (label.length * CHARACTER_PX) / 2) * msPerPx
    return ticks.map(({ atMs, label }) => ({ value: atMs, label: atMs > lastMs(label) ? '' : label }))
  }

  override generateTickLabels(): void {} // buildTicks wrote them.

  /** Chart.js would measure every text of every chart. */
  protected _getLabelSizes(): typeof LABEL_SIZES {
    return LABEL_SIZES
  }
}

export class PromValueScale extends LinearScale {
  static override id = 'promvalue'
  #axis: ValueAxis = { min: 0, max: 1, ticks: [] }

  get #style(): ValueAxisStyle {
    const content = contentOf(this)
    return (this.id === 'y2' ? content.y2 : content.y) ?? content.y
  }

  override determineDataLimits(): void {
    const style = this.#style
    const [low, high] = extentOf(contentOf(this), this.id)
    const tickCountMax = Math.max(2, Math.floor(this.chart.height / VALUE_TICK_SPACING_PX))
    if (style.log) {
      this.#axis = logAxis(style.min ?? 10 ** low, style.max ?? 10 ** high, tickCountMax)
      this.min = style.min !== undefined && style.min > 0 ? style.min : this.#axis.min
      this.max = style.max ?? this.#axis.max
      return
    }
    const from = style.min ?? Math.min(low, style.softMin ?? low)
    const to = style.max ?? Math.max(high, style.softMax ?? high, Math.min(from, style.softMin ?? high))
    this.#axis = valueAxis(from, to, tickCountMax, unitBase(style.unit))
    const keepsMin = style.softMin !== undefined && low >= style.softMin
    this.min = style.min ?? (keepsMin ? Math.max(this.#axis.min, style.softMin!) : this.#axis.min)
    this.max = style.max ?? (style.cap === undefined ? this.#axis.max : Math.min(this.#axis.max, style.cap))
    if (!(this.max > this.min)) this.max = this.min + 1
  }

  override buildTicks(): Tick[] {
    const { format } = this.#style
    // What is drawn below zero for being the other direction is not negative.
    const mirrored = contentOf(this).styles.some((style) => style.mirrored)
    return this.#axis.ticks
      .filter((value) => value >= this.min && value <= this.max)
      .map((value) => ({ value, label: format(mirrored ? Math.abs(value) : value) }))
  }

  override generateTickLabels(): void {}

  protected _getLabelSizes(): typeof LABEL_SIZES {
    return LABEL_SIZES
  }

  override getPixelForValue(value: number): number {
    if (!this.#style.log) return super.getPixelForValue(value, 0)
    const low = Math.log10(this.min)
    return this.getPixelForDecimal((Math.log10(value) - low) / (Math.log10(this.max) - low))
  }
}

/** Of what is drawn on an axis; logarithms where the axis is logarithmic. */
function extentOf(content: ChartContent, axis: string): [number, number] {
  const [min, max] = columnsExtent(
    drawnColumns(content)
      .filter(({ style }) => style.axis === axis)
      .map(({ y }) => y),
  )
  const bars = drawnColumns(content).some(({ style }) => style.axis === axis && style.draw === 'bars')
  if (!bars) return [min, max]
  return [Math.min(min, 0), Math.max(max, 0)]
}
