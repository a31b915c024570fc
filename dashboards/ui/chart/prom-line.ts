// Chart.js' controller for a whole frame as one dataset. Stock line charts make an object and an element per point; this one
// draws straight from the columns. Chart.js is pinned: the hooks overridden here are its inner contract.
import { type ChartArea, DatasetController, type Scale } from 'chart.js'
import { linePath, type PixelMap, pathLengthMax } from '../../model/line-path.ts'
import type { ChartContent, SeriesStyle } from './chart-host.ts'
import { type DrawnColumn, drawnColumns } from './drawn-columns.ts'

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

/** Points further apart than this are marked, so that few samples are seen as what they are. */
const DOT_SPACING_PX = 14
const BAR_SHARE = 0.72
const BAR_MAX_PX = 60

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

  override getMinMax(): { min: number; max: number } {
    // The axes ask the content themselves.
    return { min: 0, max: 1 }
  }

  override draw(): void {
    const { ctx, chartArea, scales } = this.chart
    const content = (this.getDataset() as unknown as PromLineDataset).content
    ctx.save()
    ctx.beginPath()
    ctx.rect(chartArea.left, chartArea.top - 1, chartArea.width, chartArea.height + 2)
    ctx.clip()
    drawBands(ctx, content, scales.y!, chartArea)
    const maps = {
      y: pixelMaps(scales.x!, scales.y!, content.y.log),
      y2: pixelMaps(scales.x!, scales.y2!, content.y2?.log === true),
    }
    const columns = drawnColumns(content)
    // From the top of a stack down, so that an empty layer's line does not hide the one below.
    for (let i = columns.length - 1; i >= 0; i--) drawColumn(ctx, content, columns[i]!, maps[columns[i]!.style.axis])
    drawLimits(ctx, content, scales.y!, chartArea)
    ctx.restore()
  }
}

interface PixelMaps {
  readonly x: PixelMap
  readonly y: PixelMap
  readonly zeroPx: number
}

function pixelMaps(xScale: Scale, yScale: Scale, log: boolean): PixelMaps {
  const inner = (value: number) => (log ? Math.log10(value) : value)
  const x = mapThrough(xScale.min, xScale.getPixelForValue(xScale.min), xScale.max, xScale.getPixelForValue(xScale.max))
  const y = mapThrough(
    inner(yScale.min),
    yScale.getPixelForValue(yScale.min),
    inner(yScale.max),
    yScale.getPixelForValue(yScale.max),
  )
  const zeroPx = log ? yScale.bottom : Math.min(yScale.bottom, Math.max(yScale.top, y.offset))
  return { x, y, zeroPx }
}

function mapThrough(a: number, aPx: number, b: number, bPx: number): PixelMap {
  const scale = (bPx - aPx) / (b - a || 1)
  return { scale, offset: aPx - a * scale }
}

function drawColumn(
  ctx: CanvasRenderingContext2D,
  { frame }: ChartContent,
  column: DrawnColumn,
  maps: PixelMaps,
): void {
  const { style, y } = column
  const spacingPx = frame.x.length > 1 ? (frame.x[1]! - frame.x[0]!) * maps.x.scale : 40
  ctx.strokeStyle = style.color
  ctx.fillStyle = style.color
  // Round joins take several times as long to paint, and cannot be seen at such widths.
  ctx.lineJoin = 'bevel'
  ctx.lineWidth = style.widthPx
  if (style.draw === 'bars') {
    drawBars(ctx, frame.x, column, maps, Math.min(BAR_MAX_PX, Math.max(1, spacingPx * BAR_SHARE)))
    return
  }
  if (style.fill > 0 && style.draw === 'line') fillUnder(ctx, frame.x, column, maps)
  const room = pathLengthMax(y.length)
  if (pathBuffer.length < room) pathBuffer = new Float64Array(room)
  const length = linePath(frame.x, y, maps.x, maps.y, pathBuffer)
  if (style.draw === 'line' && style.widthPx > 0) strokePath(ctx, length, style)
  const all =
    style.draw === 'points' || style.points === 'always' || (style.points === 'auto' && spacingPx >= DOT_SPACING_PX)
  drawDots(ctx, length, all, Math.max(1, style.pointPx / 2))
}

type Curve = SeriesStyle['curve']

/** Continues a path from one point to the next in the style's manner. */
function curveTo(
  ctx: CanvasRenderingContext2D,
  curve: Curve,
  fromX: number,
  fromY: number,
  toX: number,
  toY: number,
): void {
  if (curve === 'stepAfter') ctx.lineTo(toX, fromY)
  else if (curve === 'stepBefore') ctx.lineTo(fromX, toY)
  else if (curve === 'smooth' && Math.abs(toX - fromX) > 3) {
    const middle = (fromX + toX) / 2
    ctx.bezierCurveTo(middle, fromY, middle, toY, toX, toY)
    return
  }
  ctx.lineTo(toX, toY)
}

function strokePath(ctx: CanvasRenderingContext2D, length: number, { curve, dash }: SeriesStyle): void {
  let penDown = false
  if (dash.length > 0) ctx.setLineDash([...dash])
  ctx.beginPath()
  for (let i = 0; i < length; i += 2) {
    const px = pathBuffer[i]!
    if (Number.isNaN(px)) penDown = false
    else if (penDown) curveTo(ctx, curve, pathBuffer[i - 2]!, pathBuffer[i - 1]!, px, pathBuffer[i + 1]!)
    else {
      ctx.moveTo(px, pathBuffer[i + 1]!)
      penDown = true
    }
  }
  ctx.stroke()
  if (dash.length > 0) ctx.setLineDash([])
}

/** Lone points are always marked (a line through one point cannot be seen), all of them where there is room. */
function drawDots(ctx: CanvasRenderingContext2D, length: number, all: boolean, radius: number): void {
  ctx.beginPath()
  for (let i = 0; i < length; i += 2) {
    const px = pathBuffer[i]!
    if (Number.isNaN(px)) continue
    const startsHere = i === 0 || Number.isNaN(pathBuffer[i - 2]!)
    const endsHere = i + 2 >= length || Number.isNaN(pathBuffer[i + 2]!)
    if (!all && !(startsHere && endsHere)) continue
    ctx.moveTo(px + radius, pathBuffer[i + 1]!)
    ctx.arc(px, pathBuffer[i + 1]!, radius, 0, 2 * Math.PI)
  }
  ctx.fill()
}

function drawBars(
  ctx: CanvasRenderingContext2D,
  x: Float64Array,
  { y, below, style }: DrawnColumn,
  maps: PixelMaps,
  widthPx: number,
): void {
  ctx.beginPath()
  for (let i = 0; i < y.length; i++) {
    const value = y[i]!
    if (Number.isNaN(value)) continue
    const base = below?.[i]
    const fromPx = base === undefined || Number.isNaN(base) ? maps.zeroPx : base * maps.y.scale + maps.y.offset
    const toPx = value * maps.y.scale + maps.y.offset
    const left = x[i]! * maps.x.scale + maps.x.offset - widthPx / 2
    ctx.rect(left, Math.min(fromPx, toPx), widthPx, Math.max(Math.abs(toPx - fromPx), value === 0 ? 0 : 0.75))
  }
  ctx.globalAlpha = Math.max(style.fill, 0.2)
  ctx.fill()
  ctx.globalAlpha = 1
}

/** Fills each unbroken stretch down to the series below it, or to zero. */
function fillUnder(
  ctx: CanvasRenderingContext2D,
  x: Float64Array,
  { y, below, style }: DrawnColumn,
  maps: PixelMaps,
): void {
  const { x: mapX, y: mapY, zeroPx } = maps
  const back: Curve =
    style.curve === 'stepAfter' ? 'stepBefore' : style.curve === 'stepBefore' ? 'stepAfter' : style.curve
  const pxOf = (i: number) => x[i]! * mapX.scale + mapX.offset
  const topOf = (i: number) => y[i]! * mapY.scale + mapY.offset
  const floorOf = (i: number) => {
    const floor = below?.[i]
    return floor === undefined || Number.isNaN(floor) ? zeroPx : floor * mapY.scale + mapY.offset
  }
  ctx.globalAlpha = style.fill
  ctx.beginPath()
  let start = -1
  for (let i = 0; i <= y.length; i++) {
    const gap = i === y.length || Number.isNaN(y[i]!)
    if (!gap) {
      if (start < 0) {
        start = i
        ctx.moveTo(pxOf(i), topOf(i))
      } else curveTo(ctx, style.curve, pxOf(i - 1), topOf(i - 1), pxOf(i), topOf(i))
    } else if (start >= 0) {
      ctx.lineTo(pxOf(i - 1), floorOf(i - 1))
      if (below === undefined) ctx.lineTo(pxOf(start), zeroPx)
      else for (let k = i - 2; k >= start; k--) curveTo(ctx, back, pxOf(k + 1), floorOf(k + 1), pxOf(k), floorOf(k))
      ctx.closePath()
      start = -1
    }
  }
  ctx.fill()
  ctx.globalAlpha = 1
}

function drawBands(ctx: CanvasRenderingContext2D, { bands }: ChartContent, yScale: Scale, area: ChartArea): void {
  for (const { from, to, color } of bands) {
    const top = to >= yScale.max ? area.top : yScale.getPixelForValue(to)
    const bottom = from <= yScale.min ? area.bottom : yScale.getPixelForValue(from)
    if (bottom <= top) continue
    ctx.globalAlpha = 0.1
    ctx.fillStyle = color
    ctx.fillRect(area.left, top, area.width, bottom - top)
  }
  ctx.globalAlpha = 1
}

function drawLimits(ctx: CanvasRenderingContext2D, { limits }: ChartContent, yScale: Scale, area: ChartArea): void {
  ctx.lineWidth = 1
  for (const { value, color, dashed } of limits) {
    if (value < yScale.min || value > yScale.max) continue
    const py = Math.round(yScale.getPixelForValue(value)) + 0.5
    ctx.setLineDash(dashed ? [4, 4] : [])
    ctx.strokeStyle = color
    ctx.beginPath()
    ctx.moveTo(area.left, py)
    ctx.lineTo(area.right, py)
    ctx.stroke()
  }
  ctx.setLineDash([])
}
