// Keeps the metrics that short-lived jobs push, and shows them to the scraper.
export { pushgatewayApi } from './api.ts'
export { createPushgateway, type Pushgateway, type PushgatewayOptions } from './pushgateway.ts'
