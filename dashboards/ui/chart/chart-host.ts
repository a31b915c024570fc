// What a panel asks of whatever draws its lines. The renderer can be exchanged behind this.
import type { Frame } from '../../model/frame.ts'
import type { Theme } from '../../model/series-color.ts'
import type { TimeZone } from '../../model/time-range.ts'

export interface SeriesStyle {
  readonly color: string
  readonly visible: boolean
  /** Drawn below zero. */
  readonly mirrored: boolean
  /** Takes part in the panel's filling. */
  readonly filled: boolean
}

export interface ChartContent {
  readonly frame: Frame
  /** One per column of the frame. */
  readonly styles: readonly SeriesStyle[]
  readonly fromMs: number
  readonly toMs: number
  readonly unit: string
  readonly stack: boolean
  readonly fill: boolean
  readonly log: boolean
  readonly min?: number | undefined
  readonly max?: number | undefined
  /** Values at which lines are drawn across. */
  readonly limits: readonly { readonly value: number; readonly color: string }[]
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
  /** Draws at once. Takes the content by reference; what it refers to must not change afterwards. */
  draw(content: ChartContent): void
  resize(width: number, height: number): void
  readonly plot: PlotArea
  timeAt(px: number): number
  pixelAtTime(atMs: number): number
  pixelAtValue(value: number): number
  destroy(): void
}

export type ChartHostFactory = (canvas: HTMLCanvasElement) => ChartHost
