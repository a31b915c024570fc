// Chart.js' controller for a whole frame as one dataset. Stock line charts make an object and an element per point; this one
// draws straight from the columns. Chart.js is pinned: the hooks overridden here are its inner contract.
import { type ChartArea, DatasetController, type Scale } from 'chart.js'
import { columnsExtent, type Frame, stackColumns } from '../../model/frame.ts'
import { linePath, type PixelMap, pathLengthMax } from '../../model/line-path.ts'
import type { ChartContent } from './chart-host.ts'

declare module 'chart.js' {
  interface ChartTypeRegistry {
    promline: {
      chartOptions: object
      datasetOptions: PromLineDataset
      defaultDataPoint: never
      metaExtensions: object
      parsedDataType: never
      scales: 'promtime' | 'promvalue'
    }
  }
}

export interface PromLineDataset {
  content: ChartContent
}

const LINE_WIDTH = 1.5
const STACK_LINE_WIDTH = 1
const DOT_RADIUS = 2
/** Points further apart than this are marked, so that few samples are seen as what they are. */
const DOT_SPACING_PX = 14
const FILL_ALPHA = 0.14
const STACK_FILL_ALPHA = 0.4

let pathBuffer = new Float64Array(4096)

export class PromLineController extends DatasetController<'promline'> {
  static id = 'promline'
  /** Chart.js looks the element type up although none is ever made. */
  static defaults = { datasetElementType: false, dataElementType: 'point' }

  override initialize(): void {
    this.configure()
    this.linkScales()
  }

  // Nothing is parsed and no element is made: the frame is the data.
  override parse(): void {}
  override addElements(): void {}
  override buildOrUpdateElements(): void {}
  override update(): void {}
  protected _resyncElements(): void {}

  override getMinMax(scale: Scale): { min: number; max: number } {
    const content = this.content
    if (scale.axis === 'x') return { min: content.fromMs, max: content.toMs }
    const [min, max] = columnsExtent(shownColumns(content))
    return { min, max }
  }

  override draw(): void {
    const { ctx, chartArea, scales } = this.chart
    const content = this.content
    ctx.save()
    ctx.beginPath()
    ctx.rect(chartArea.left, chartArea.top - 1, chartArea.width, chartArea.height + 2)
    ctx.clip()
    drawSeries(ctx, content, pixelMaps(scales.x!, scales.y!, content), chartArea)
    drawLimits(ctx, content, scales.y!, chartArea)
    ctx.restore()
  }

  private get content(): ChartContent {
    return (this.getDataset() as unknown as PromLineDataset).content
  }
}

/** Columns as drawn: hidden ones left out, mirrored ones negated, stacked ones summed (up and down apart). */
function shownColumns(content: ChartContent): Float64Array[] {
  return [...shownSeries(content).values()]
}

/** Index of the series → its drawn column, bottom of a stack first. */
function shownSeries({ frame, styles, stack, log }: ChartContent): Map<number, Float64Array> {
  const upward: number[] = []
  const downward: number[] = []
  frame.ys.forEach((_, i) => {
    if (styles[i]?.visible) (styles[i].mirrored ? downward : upward).push(i)
  })
  const shown = new Map<number, Float64Array>()
  for (const [indexes, sign] of [
    [upward, 1],
    [downward, -1],
  ] as const) {
    const columns = indexes.map((i) => (sign === 1 ? frame.ys[i]! : frame.ys[i]!.map((value) => -value)))
    const drawn = stack ? stackColumns(columns) : columns
    indexes.forEach((i, place) => shown.set(i, log ? drawn[place]!.map(positiveOrGap) : drawn[place]!))
  }
  return shown
}

function positiveOrGap(value: number): number {
  return value > 0 ? value : Number.NaN
}

interface PixelMaps {
  readonly x: PixelMap
  readonly y: PixelMap
  readonly zeroPx: number
}

function pixelMaps(xScale: Scale, yScale: Scale, { log }: ChartContent): PixelMaps {
  const inner = (value: number) => (log ? Math.log10(value) : value)
  const x = mapThrough(xScale.min, xScale.getPixelForValue(xScale.min), xScale.max, xScale.getPixelForValue(xScale.max))
  const low = inner(yScale.min)
  const high = inner(yScale.max)
  const y = mapThrough(low, yScale.getPixelForValue(yScale.min), high, yScale.getPixelForValue(yScale.max))
  const zeroPx = log ? yScale.bottom : clamp(y.offset, yScale.top, yScale.bottom)
  return { x, y, zeroPx }
}

function mapThrough(a: number, aPx: number, b: number, bPx: number): PixelMap {
  const scale = (bPx - aPx) / (b - a || 1)
  return { scale, offset: aPx - a * scale }
}

function drawSeries(ctx: CanvasRenderingContext2D, content: ChartContent, maps: PixelMaps, area: ChartArea): void {
  const { frame, styles, stack, fill, log } = content
  const spacingPx = frame.x.length > 1 ? (frame.x[1]! - frame.x[0]!) * maps.x.scale : area.width
  ctx.lineJoin = 'round'
  ctx.lineWidth = stack ? STACK_LINE_WIDTH : LINE_WIDTH
  const shown = [...shownSeries(content)].map(([i, y]) => [i, log ? y.map(Math.log10) : y] as const)
  // From the top of a stack down, so that an empty layer's line does not hide the one below.
  for (let place = shown.length - 1; place >= 0; place--) {
    const [i, y] = shown[place]!
    const { color, mirrored, filled } = styles[i]!
    const below =
      stack && place > 0 && styles[shown[place - 1]![0]]!.mirrored === mirrored ? shown[place - 1]![1] : undefined
    ctx.strokeStyle = color
    ctx.fillStyle = color
    if (fill && filled) fillUnder(ctx, frame, y, below, maps, stack ? STACK_FILL_ALPHA : FILL_ALPHA)
    const length = tracePath(frame.x, y, maps)
    strokePath(ctx, length)
    drawDots(ctx, length, spacingPx >= DOT_SPACING_PX)
  }
}

/** @returns count of numbers in `pathBuffer` */
function tracePath(x: Float64Array, y: Float64Array, maps: PixelMaps): number {
  const room = pathLengthMax(y.length)
  if (pathBuffer.length < room) pathBuffer = new Float64Array(room)
  return linePath(x, y, maps.x, maps.y, pathBuffer)
}

function strokePath(ctx: CanvasRenderingContext2D, length: number): void {
  let penDown = false
  ctx.beginPath()
  for (let i = 0; i < length; i += 2) {
    const px = pathBuffer[i]!
    if (Number.isNaN(px)) penDown = false
    else if (penDown) ctx.lineTo(px, pathBuffer[i + 1]!)
    else {
      ctx.moveTo(px, pathBuffer[i + 1]!)
      penDown = true
    }
  }
  ctx.stroke()
}

/** Lone points are always marked (a line through one point cannot be seen), all of them where there is room. */
function drawDots(ctx: CanvasRenderingContext2D, length: number, all: boolean): void {
  ctx.beginPath()
  for (let i = 0; i < length; i += 2) {
    const px = pathBuffer[i]!
    if (Number.isNaN(px)) continue
    const startsHere = i === 0 || Number.isNaN(pathBuffer[i - 2]!)
    const endsHere = i + 2 >= length || Number.isNaN(pathBuffer[i + 2]!)
    if (!all && !(startsHere && endsHere)) continue
    ctx.moveTo(px + DOT_RADIUS, pathBuffer[i + 1]!)
    ctx.arc(px, pathBuffer[i + 1]!, DOT_RADIUS, 0, 2 * Math.PI)
  }
  ctx.fill()
}

/** Fills each unbroken stretch down to the series below it, or to zero. */
function fillUnder(
  ctx: CanvasRenderingContext2D,
  { x }: Frame,
  y: Float64Array,
  below: Float64Array | undefined,
  { x: mapX, y: mapY, zeroPx }: PixelMaps,
  alpha: number,
): void {
  ctx.globalAlpha = alpha
  ctx.beginPath()
  let start = -1
  for (let i = 0; i <= y.length; i++) {
    const gap = i === y.length || Number.isNaN(y[i]!)
    if (!gap) {
      const px = x[i]! * mapX.scale + mapX.offset
      const py = y[i]! * mapY.scale + mapY.offset
      if (start < 0) {
        start = i
        ctx.moveTo(px, py)
      } else ctx.lineTo(px, py)
    } else if (start >= 0) {
      for (let back = i - 1; back >= start; back--) {
        const floor = below?.[back]
        const floorPx = floor === undefined || Number.isNaN(floor) ? zeroPx : floor * mapY.scale + mapY.offset
        ctx.lineTo(x[back]! * mapX.scale + mapX.offset, floorPx)
      }
      ctx.closePath()
      start = -1
    }
  }
  ctx.fill()
  ctx.globalAlpha = 1
}

function drawLimits(ctx: CanvasRenderingContext2D, { limits }: ChartContent, yScale: Scale, area: ChartArea): void {
  ctx.setLineDash([4, 4])
  ctx.lineWidth = 1
  for (const { value, color } of limits) {
    if (value < yScale.min || value > yScale.max) continue
    const py = Math.round(yScale.getPixelForValue(value)) + 0.5
    ctx.strokeStyle = color
    ctx.beginPath()
    ctx.moveTo(area.left, py)
    ctx.lineTo(area.right, py)
    ctx.stroke()
  }
  ctx.setLineDash([])
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}
