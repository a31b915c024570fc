// The canvas of a panel and what floats above it: crosshair, tooltip and zoom box, moved without drawing the chart again.
import { effect } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { nearestIndex } from '../../model/frame.ts'
import { cursor, zoomOutOnce, zoomTo } from '../state/time.ts'
import { formatInstant } from '../shell/format.ts'
import type { ChartContent, ChartHost } from './chart-host.ts'
import { createChartJsHost, plotGutters } from './chartjs-host.ts'
import { cancelDraw, enqueueDraw } from './draw-queue.ts'
import { hideTooltip, placeTooltip, showTooltip } from './tooltip.ts'

const ZOOM_MIN_PX = 6

interface Props {
  panelId: string
  label: string
  content: ChartContent
  names: readonly string[]
  onZoom?: (fromMs: number, toMs: number) => void
  events?: readonly ChartEvent[]
  /** `multi` lists every series, `single` the one nearest to the pointer, `none` shows nothing. */
  tooltip?: string
}

/** Something that happened, marked above the lines. */
export interface ChartEvent {
  readonly atMs: number
  readonly endMs: number
  readonly title: string
  readonly text: string
  readonly color: string
}

export function ChartView({
  panelId,
  label,
  content,
  names,
  onZoom,
  events = [],
  tooltip = 'multi',
}: Props): JSX.Element {
  const boxRef = useRef<HTMLDivElement>(null)
  const canvasRef = useRef<HTMLCanvasElement>(null)
  const lineRef = useRef<HTMLDivElement>(null)
  const zoomRef = useRef<HTMLDivElement>(null)
  const hostRef = useRef<ChartHost | undefined>(undefined)
  const sizeRef = useRef({ width: 0, height: 0 })
  const latest = useRef({ content, names, onZoom, tooltip })
  latest.current = { content, names, onZoom, tooltip }

  const drawSoon = useRef(() => {
    const box = boxRef.current!
    const { width, height } = sizeRef.current
    if (width === 0 || height === 0) return
    enqueueDraw(box, () => {
      const { content: wanted } = latest.current
      const size = sizeRef.current
      if (hostRef.current === undefined)
        hostRef.current = createChartJsHost(canvasRef.current!, wanted, size.width, size.height)
      else hostRef.current.draw(wanted, size.width, size.height)
    })
  })
  useLayoutEffect(() => {
    const box = boxRef.current!
    // Tells the size at first, too: nothing is drawn before, and nobody has to ask for it in the middle of a frame.
    const observer = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect
      sizeRef.current = { width: Math.floor(width), height: Math.floor(height) }
      drawSoon.current()
    })
    observer.observe(box)
    return () => {
      observer.disconnect()
      cancelDraw(box)
      hostRef.current?.destroy()
      hostRef.current = undefined
      leave(panelId)
      hideTooltip(panelId)
    }
  }, [])
  useLayoutEffect(() => drawSoon.current(), [content])

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
        if (at.panelId === panelId && latest.current.tooltip !== 'none')
          showTooltip(panelId, shown, shownNames, at.atMs)
      }),
    [panelId],
  )

  const pointer = usePointer({ panelId, boxRef, hostRef, zoomRef, latest })
  return (
    <div
      class="chart"
      ref={boxRef}
      role="img"
      tabIndex={0}
      aria-label={`${label}. ${describe(content, names)}`}
      onBlur={() => leave(panelId)}
      {...pointer}
    >
      <div class="chart-surface">
        {events.map((event, i) => (
          <EventMark key={i} event={event} content={content} />
        ))}
        <div class="crosshair" ref={lineRef} hidden />
        <div class="zoom-box" ref={zoomRef} hidden />
      </div>
      <canvas ref={canvasRef} aria-hidden="true" />
    </div>
  )
}

/** Placed by shares of the plot, whose gutters are known before anything is drawn. */
function EventMark({ event, content }: { event: ChartEvent; content: ChartContent }): JSX.Element | null {
  const { fromMs, toMs } = content
  if (event.endMs < fromMs || event.atMs > toMs) return null
  const share = (atMs: number) => Math.min(1, Math.max(0, (atMs - fromMs) / (toMs - fromMs)))
  const gutter = plotGutters(content)
  const at = (value: number) => `calc(${gutter.left}px + (100% - ${gutter.left + gutter.right}px) * ${value})`
  const width = (share(event.endMs) - share(event.atMs)) * 100
  return (
    <div
      class="event-mark"
      style={{
        left: at(share(event.atMs)),
        width: `max(1px, calc((100% - ${gutter.left + gutter.right}px) * ${width / 100}))`,
        '--event': event.color,
      }}
      title={`${event.title}\n${event.text}`.trim().slice(0, 2000)}
    />
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
  const moveRef = useRef<{ clientX: number; clientY: number } | undefined>(undefined)
  const local = (event: { clientX: number }) => {
    const { left, width } = hostRef.current!.plot
    const px = event.clientX - boxRef.current!.getBoundingClientRect().left
    return Math.min(left + width, Math.max(left, px))
  }
  const show = (atMs: number) => {
    const { x } = latest.current.content.frame
    const i = nearestIndex(x, atMs)
    cursor.value = { atMs: i < 0 ? atMs : x[i]!, panelId }
  }
  const follow = () => {
    const move = moveRef.current
    moveRef.current = undefined
    if (move === undefined || hostRef.current === undefined) return
    const px = local(move)
    show(hostRef.current.timeAt(px))
    placeTooltip(move.clientX, move.clientY)
    if (dragFromPx.current !== undefined) drawZoomBox(zoomRef.current!, hostRef.current, dragFromPx.current, px)
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
    onPointerMove({ clientX, clientY }: PointerEvent) {
      // Pointers report more often than screens draw: the newest place is shown once a frame.
      const first = moveRef.current === undefined
      moveRef.current = { clientX, clientY }
      if (first) requestAnimationFrame(follow)
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
      moveRef.current = undefined
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

function describe({ frame, styles, fromMs, toMs, zone }: ChartContent, names: readonly string[]): string {
  if (frame.ys.length === 0) return 'No data.'
  const newest = names
    .slice(0, 4)
    .map((name, i) => `${name} ${styles[i]?.format(frame.ys[i]?.at(-1) ?? Number.NaN) ?? ''}`)
  return `${names.length} series from ${formatInstant(fromMs, zone)} to ${formatInstant(toMs, zone)}. Newest: ${newest.join(', ')}.`
}
