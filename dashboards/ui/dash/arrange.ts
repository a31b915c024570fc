// Moving and resizing panels on the grid: with the pointer, or with the arrow keys (Shift resizes).
import type { DashPanel, GridPos } from '../../grafana/dashboard.ts'

const COLUMNS = 24
const ROW_PX = 38

export interface Arranging {
  cell(panel: DashPanel): Record<string, unknown>
  handle(panel: DashPanel): Record<string, unknown>
}

/** @param place called with the panel's new place, once a move has ended */
export function createArranging(place: (id: number, to: GridPos) => void): Arranging {
  const start = (panel: DashPanel, event: PointerEvent, resizes: boolean) => {
    if (event.button !== 0) return
    const cell = (event.currentTarget as HTMLElement).closest<HTMLElement>('.dash-cell')!
    const grid = cell.parentElement!
    const columnPx = grid.clientWidth / COLUMNS
    const { x, y, w, h } = panel.gridPos
    const [fromX, fromY] = [event.clientX, event.clientY]
    let next = panel.gridPos
    event.preventDefault()
    cell.classList.add('moving')
    const move = (now: PointerEvent) => {
      const dx = Math.round((now.clientX - fromX) / columnPx)
      const dy = Math.round((now.clientY - fromY) / ROW_PX)
      next = resizes
        ? { x, y, w: clamp(w + dx, 2, COLUMNS - x), h: Math.max(2, h + dy) }
        : { x: clamp(x + dx, 0, COLUMNS - w), y: Math.max(0, y + dy), w, h }
      if (resizes) cell.style.gridColumn = `${next.x + 1} / span ${next.w}`
      else cell.style.transform = `translate(${now.clientX - fromX}px, ${now.clientY - fromY}px)`
    }
    const end = () => {
      removeEventListener('pointermove', move)
      removeEventListener('pointerup', end)
      removeEventListener('pointercancel', end)
      cell.classList.remove('moving')
      cell.style.transform = ''
      if (next !== panel.gridPos) place(panel.id, next)
    }
    addEventListener('pointermove', move)
    addEventListener('pointerup', end)
    addEventListener('pointercancel', end)
  }
  return {
    cell: (panel) => ({
      tabIndex: 0,
      'aria-label': `${panel.title}: arrow keys move it, with Shift they resize it`,
      role: 'group',
      onPointerDown: (event: PointerEvent) => {
        const target = event.target as HTMLElement
        if (target.closest('[data-drag]') !== null && target.closest('button, a') === null) start(panel, event, false)
      },
      onKeyDown: (event: KeyboardEvent) => {
        if (event.target !== event.currentTarget) return
        const dx = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
        const dy = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
        if (dx === 0 && dy === 0) return
        event.preventDefault()
        const { x, y, w, h } = panel.gridPos
        place(
          panel.id,
          event.shiftKey
            ? { x, y, w: clamp(w + dx, 2, COLUMNS - x), h: Math.max(2, h + dy) }
            : { x: clamp(x + dx, 0, COLUMNS - w), y: Math.max(0, y + dy), w, h },
        )
      },
    }),
    handle: (panel) => ({ onPointerDown: (event: PointerEvent) => start(panel, event, true) }),
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}
