// The embedded Alertmanager: takes alerts, groups them, and tells people.
export type { AlertInput } from './alert/ingest.ts'
export { type Alertmanager, type AlertmanagerOptions, createAlertmanager } from './alertmanager.ts'
export { type AlertmanagerApiOptions, alertmanagerApi } from './api/plugin.ts'
export { checkAlertmanagerConfig, parseAlertmanagerConfig } from './config/parse-config.ts'
export type { AlertmanagerConfig } from './config/types.ts'
export type { NotificationEvent } from './notify/history.ts'
export type { Silence, SilenceInput, SilenceState } from './silence/silences.ts'
export type { AlertmanagerStatus, AlertView, GroupView, RouteDestination, TestOutcome } from './views.ts'
