// A canvas that is painted anew when its box or its content changes, with a tooltip of its own.
import type { JSX } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { hideTooltip, placeTooltip, showRows, type TooltipRow } from '../../chart/tooltip.ts'

export interface Hover {
  readonly head: string
  readonly rows: readonly TooltipRow[]
}

interface Props {
  panelKey: string
  label: string
  /** Changes when there is something else to paint. */
  content: unknown
  paint: (ctx: CanvasRenderingContext2D, width: number, height: number) => void
  hover: (x: number, y: number, width: number, height: number) => Hover | undefined
}

export function PaintedCanvas({ panelKey, label, content, paint, hover }: Props): JSX.Element {
  const ref = useRef<HTMLCanvasElement>(null)
  const latest = useRef(paint)
  latest.current = paint
  useLayoutEffect(() => {
    const canvas = ref.current!
    const draw = () => {
      const { clientWidth: width, clientHeight: height } = canvas
      const ctx = canvas.getContext('2d')
      if (ctx === null || width === 0 || height === 0) return
      canvas.width = Math.round(width * devicePixelRatio)
      canvas.height = Math.round(height * devicePixelRatio)
      ctx.scale(devicePixelRatio, devicePixelRatio)
      latest.current(ctx, width, height)
    }
    const observer = new ResizeObserver(draw)
    observer.observe(canvas)
    draw()
    return () => observer.disconnect()
  }, [content])
  useLayoutEffect(() => () => hideTooltip(panelKey), [])
  return (
    <canvas
      ref={ref}
      class="painted"
      role="img"
      aria-label={label}
      onPointerMove={(event) => {
        const box = event.currentTarget.getBoundingClientRect()
        const found = hover(event.clientX - box.left, event.clientY - box.top, box.width, box.height)
        if (found === undefined) return hideTooltip(panelKey)
        showRows(panelKey, found.head, found.rows)
        placeTooltip(event.clientX, event.clientY)
        return undefined
      }}
      onPointerLeave={() => hideTooltip(panelKey)}
    />
  )
}
