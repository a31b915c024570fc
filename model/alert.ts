import type { Labels } from './labels.ts'

/** An alert on its way from a rule to an Alertmanager. Times are Unix milliseconds. */
export interface Alert {
  /** `alertname` included; empty values dropped. */
  readonly labels: Labels
  readonly annotations: Labels
  readonly startsAtMs: number
  /** For a firing alert the time after which it counts as resolved unless it is sent again. */
  readonly endsAtMs: number
  /** Link back to the expression, '' when there is none. */
  readonly generatorUrl: string
}

/** Where rules send alerts: the embedded Alertmanager, external ones, or several of them. */
export interface AlertSink {
  /** Takes the alerts; delivery is the sink's matter. Never throws for a single bad alert: it is counted and logged. */
  send(alerts: readonly Alert[]): Promise<void>
}
