// Keeps the metrics that short-lived jobs push, and shows them to the scraper.
export type { PushToken } from './access.ts'
export { pushgatewayApi } from './api.ts'
export { pushGroupsApi } from './groups-api.ts'
export type { PushLimits } from './group-store.ts'
export { createPushgateway, type Pushgateway, type PushgatewayOptions } from './pushgateway.ts'
