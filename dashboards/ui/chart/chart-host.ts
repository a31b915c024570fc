// What a panel asks of whatever draws its lines. The renderer can be exchanged behind this.
import type { Frame } from '../../model/frame.ts'
import type { Theme } from '../../model/series-color.ts'
import type { TimeZone } from '../../model/time-range.ts'

export interface SeriesStyle {
  readonly color: string
  readonly visible: boolean
  /** Drawn below zero. */
  readonly mirrored: boolean
  readonly draw: 'line' | 'bars' | 'points'
  readonly curve: 'linear' | 'stepBefore' | 'stepAfter' | 'smooth'
  readonly widthPx: number
  /** Opacity of the filling, 0 to 1. */
  readonly fill: number
  readonly points: 'auto' | 'always' | 'never'
  readonly pointPx: number
  /** Lengths of dashes and gaps; empty = one line. */
  readonly dash: readonly number[]
  /** Gaps up to this long are bridged. */
  readonly spanMs: number
  /** Series of one group stand on each other; `undefined` = each on its own. */
  readonly stack: string | undefined
  readonly axis: 'y' | 'y2'
  readonly format: (value: number) => string
}

export interface ValueAxisStyle {
  readonly unit: string
  readonly format: (value: number) => string
  readonly log: boolean
  readonly hidden: boolean
  readonly label: string
  /** Fixed ends. */
  readonly min?: number | undefined
  readonly max?: number | undefined
  /** Ends that are shown at least. */
  readonly softMin?: number | undefined
  readonly softMax?: number | undefined
  /** The axis does not go beyond, although it may end before. */
  readonly cap?: number | undefined
}

export interface ChartContent {
  readonly frame: Frame
  /** One per column of the frame. */
  readonly styles: readonly SeriesStyle[]
  readonly fromMs: number
  readonly toMs: number
  readonly y: ValueAxisStyle
  readonly y2?: ValueAxisStyle | undefined
  /** Stacks are shown as shares of their sum. */
  readonly percent: boolean
  /** Values at which lines are drawn across. */
  readonly limits: readonly { readonly value: number; readonly color: string; readonly dashed: boolean }[]
  /** Bands of values that are tinted. */
  readonly bands: readonly { readonly from: number; readonly to: number; readonly color: string }[]
  readonly theme: Theme
  readonly zone: TimeZone
}

/** The drawing area inside the axes, CSS pixels from the canvas' corner. */
export interface PlotArea {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

export interface ChartHost {
  /**
   * Draws at once. Takes the content by reference; what it refers to must not change afterwards.
   *
   * @param width of the canvas, CSS pixels
   */
  draw(content: ChartContent, width: number, height: number): void
  readonly plot: PlotArea
  timeAt(px: number): number
  pixelAtTime(atMs: number): number
  pixelAtValue(value: number): number
  destroy(): void
}

/** The first drawing is a part of making it. */
export type ChartHostFactory = (
  canvas: HTMLCanvasElement,
  content: ChartContent,
  width: number,
  height: number,
) => ChartHost
