import type { Page } from './page.ts'

/** One source of host metrics. What it throws costs its own metrics only. */
export interface Collector {
  /** Value of the `collector` label. */
  readonly name: string
  collect(page: Page): void | Promise<void>
}
