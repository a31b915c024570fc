/**
 * The one door to prom-client: the package has moved upstream, so that the swap stays one file. Hot code bumps a plain
 * field and `collect` copies it; see `counterOf` and `gaugeOf`.
 */
import { Counter, Gauge, type Registry } from 'prom-client'

export { Counter, collectDefaultMetrics, Gauge, Histogram, Registry, Summary } from 'prom-client'

/** A counter whose value is read when it is scraped; `read` must never go down within one process. */
export function counterOf(registry: Registry, name: string, help: string, read: () => number): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset()
      this.inc(read())
    },
  })
}

/** A gauge whose value is read when it is scraped. */
export function gaugeOf(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read())
    },
  })
}
