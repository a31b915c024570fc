// The canvas of a panel and what floats above it: crosshair, tooltip and zoom box, moved without drawing the chart again.
import { effect } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { nearestIndex } from '../../model/frame.ts'
import { formatValue } from '../../model/units.ts'
import { cursor, zoomOutOnce, zoomTo } from '../state/time.ts'
import { formatInstant } from '../shell/format.ts'
import type { ChartContent, ChartHost } from './chart-host.ts'
import { createChartJsHost } from './chartjs-host.ts'
import { hideTooltip, placeTooltip, showTooltip } from './tooltip.ts'

const ZOOM_MIN_PX = 6

interface Props {
  panelId: string
  label: string
  content: ChartContent
  names: readonly string[]
  onZoom?: (fromMs: number, toMs: number) => void
}

export function ChartView({ panelId, label, content, names, onZoom }: Props): JSX.Element {
  const boxRef = useRef<HTMLDivElement>(null)
  const canvasRef = useRef<HTMLCanvasElement>(null)
  const lineRef = useRef<HTMLDivElement>(null)
  const zoomRef = useRef<HTMLDivElement>(null)
  const hostRef = useRef<ChartHost | undefined>(undefined)
  const latest = useRef({ content, names, onZoom })
  latest.current = { content, names, onZoom }

  useLayoutEffect(() => {
    const box = boxRef.current!
    const host = createChartJsHost(canvasRef.current!)
    hostRef.current = host
    const observer = new ResizeObserver(() => {
      if (box.clientWidth === 0 || box.clientHeight === 0) return
      host.resize(box.clientWidth, box.clientHeight)
      host.draw(latest.current.content)
    })
    observer.observe(box)
    return () => {
      observer.disconnect()
      hostRef.current = undefined
      host.destroy()
      leave(panelId)
      hideTooltip(panelId)
    }
  }, [])

  useLayoutEffect(() => hostRef.current?.draw(content), [content])

  useEffect(
    () =>
      effect(() => {
        const at = cursor.value
        const host = hostRef.current
        if (host === undefined) return
        const { content: shown, names: shownNames } = latest.current
        const inside = at !== undefined && at.atMs >= shown.fromMs && at.atMs <= shown.toMs
        lineRef.current!.hidden = !inside
        if (!inside) {
          if (at === undefined) hideTooltip(panelId)
          return
        }
        const { top, height } = host.plot
        const line = lineRef.current!.style
        line.transform = `translateX(${host.pixelAtTime(at.atMs)}px)`
        line.top = `${top}px`
        line.height = `${height}px`
        if (at.panelId === panelId) showTooltip(panelId, shown, shownNames, at.atMs)
      }),
    [panelId],
  )

  const pointer = usePointer({ panelId, boxRef, hostRef, zoomRef, latest })
  return (
    <div class="chart" ref={boxRef}>
      <canvas ref={canvasRef} aria-hidden="true" />
      <div
        class="chart-surface"
        role="img"
        tabIndex={0}
        aria-label={`${label}. ${describe(content, names)}`}
        onBlur={() => leave(panelId)}
        {...pointer}
      >
        <div class="crosshair" ref={lineRef} hidden />
        <div class="zoom-box" ref={zoomRef} hidden />
      </div>
    </div>
  )
}

function leave(panelId: string): void {
  if (cursor.peek()?.panelId === panelId) cursor.value = undefined
}

interface PointerContext {
  panelId: string
  boxRef: { readonly current: HTMLDivElement | null }
  hostRef: { readonly current: ChartHost | undefined }
  zoomRef: { readonly current: HTMLDivElement | null }
  latest: { readonly current: { content: ChartContent; onZoom: ((fromMs: number, toMs: number) => void) | undefined } }
}

function usePointer({ panelId, boxRef, hostRef, zoomRef, latest }: PointerContext) {
  const dragFromPx = useRef<number | undefined>(undefined)
  const local = (event: PointerEvent) => {
    const { left, width } = hostRef.current!.plot
    const px = event.clientX - boxRef.current!.getBoundingClientRect().left
    return Math.min(left + width, Math.max(left, px))
  }
  const show = (atMs: number) => {
    const { x } = latest.current.content.frame
    const i = nearestIndex(x, atMs)
    cursor.value = { atMs: i < 0 ? atMs : x[i]!, panelId }
  }
  const endDrag = (commit: boolean, px: number) => {
    const fromPx = dragFromPx.current
    dragFromPx.current = undefined
    zoomRef.current!.hidden = true
    if (!commit || fromPx === undefined || Math.abs(px - fromPx) < ZOOM_MIN_PX) return
    const host = hostRef.current!
    const fromMs = host.timeAt(Math.min(px, fromPx))
    const toMs = host.timeAt(Math.max(px, fromPx))
    if (latest.current.onZoom) latest.current.onZoom(fromMs, toMs)
    else zoomTo({ fromMs, toMs })
  }
  return {
    onPointerMove(event: PointerEvent) {
      const px = local(event)
      show(hostRef.current!.timeAt(px))
      placeTooltip(event.clientX, event.clientY)
      if (dragFromPx.current !== undefined) drawZoomBox(zoomRef.current!, hostRef.current!, dragFromPx.current, px)
    },
    onPointerDown(event: PointerEvent) {
      // A finger scrolls the page and reads values; only a mouse or pen draws a zoom box.
      if (event.button !== 0 || event.pointerType === 'touch') return
      dragFromPx.current = local(event)
      ;(event.currentTarget as Element).setPointerCapture(event.pointerId)
    },
    onPointerUp: (event: PointerEvent) => endDrag(true, local(event)),
    onPointerCancel: (event: PointerEvent) => endDrag(false, local(event)),
    onPointerLeave() {
      if (dragFromPx.current === undefined) leave(panelId)
    },
    onDblClick: () => {
      if (latest.current.onZoom === undefined) zoomOutOnce()
    },
    onKeyDown(event: KeyboardEvent) {
      const { x } = latest.current.content.frame
      if (event.key === 'Escape') endDrag(false, 0)
      if (event.key === 'Escape') leave(panelId)
      const move = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0
      if (move === 0 || x.length === 0) return
      event.preventDefault()
      const at = cursor.peek()
      const i = at === undefined ? x.length : nearestIndex(x, at.atMs)
      show(x[Math.min(x.length - 1, Math.max(0, i + move * (event.shiftKey ? 10 : 1)))]!)
      const box = boxRef.current!.getBoundingClientRect()
      placeTooltip(box.left + hostRef.current!.pixelAtTime(cursor.peek()!.atMs), box.top + 20)
    },
  }
}

function drawZoomBox(box: HTMLElement, host: ChartHost, fromPx: number, toPx: number): void {
  const { top, height } = host.plot
  box.hidden = false
  box.style.transform = `translateX(${Math.min(fromPx, toPx)}px)`
  box.style.width = `${Math.abs(toPx - fromPx)}px`
  box.style.top = `${top}px`
  box.style.height = `${height}px`
}

function describe({ frame, unit, fromMs, toMs, zone }: ChartContent, names: readonly string[]): string {
  if (frame.ys.length === 0) return 'No data.'
  const newest = names.slice(0, 4).map((name, i) => `${name} ${formatValue(frame.ys[i]?.at(-1) ?? Number.NaN, unit)}`)
  return `${names.length} series from ${formatInstant(fromMs, zone)} to ${formatInstant(toMs, zone)}. Newest: ${newest.join(', ')}.`
}
