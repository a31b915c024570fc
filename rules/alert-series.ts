import { type Labels, METRIC_NAME, withLabels } from '../model/index.ts'
import type { ActiveAlert } from './active-alert.ts'

/** The series that tell which alerts there are. */
export const ALERTS_METRIC = 'ALERTS'
/** The series that remember when each alert began. */
export const ALERTS_FOR_STATE_METRIC = 'ALERTS_FOR_STATE'

const ALERT_STATE = 'alertstate'

/** Labels of the two series of an alert. */
export const alertSeriesLabels = (alert: ActiveAlert): { readonly alerts: Labels; readonly forState: Labels } => ({
  alerts: withLabels(alert.labels, [
    [METRIC_NAME, ALERTS_METRIC],
    [ALERT_STATE, alert.state],
  ]),
  forState: forStateLabels(alert),
})

/** Of the series that remembers when an alert began. */
export const forStateLabels = (alert: ActiveAlert): Labels =>
  withLabels(alert.labels, [[METRIC_NAME, ALERTS_FOR_STATE_METRIC]])
