import type { DashPanel } from '../../grafana/dashboard.ts'
import type { Scope } from '../../grafana/interpolate.ts'
import type { PanelData } from './panel-data.ts'

/** What every kind of panel is given. */
export interface PanelProps {
  readonly panel: DashPanel
  /** Of the panel in the page; clones of a repeat have their own. */
  readonly panelKey: string
  readonly title: string
  readonly data: PanelData
  readonly scope: Scope
  readonly widthPx: number
  readonly heightPx: number
  readonly events: readonly BoardEvent[]
  readonly asTable: boolean
}

/** Something that happened, drawn over charts. */
export interface BoardEvent {
  readonly atMs: number
  readonly endMs: number
  readonly title: string
  readonly text: string
  readonly color: string
}
