import { labelsFromRecord } from '../../model/index.ts'
import { ROUTE_DEFAULTS } from './route-schema.ts'
import type { AlertmanagerConfig } from './types.ts'

const NAME = 'log'

/** Without a configuration alerts show in the user interface and in the log. */
export const defaultConfig: AlertmanagerConfig = {
  route: { ...ROUTE_DEFAULTS, receiver: NAME, matchers: [], continue: false, routes: [] },
  receivers: [
    { name: NAME, labels: labelsFromRecord({ name: NAME }), integrations: [{ kind: 'log', sendResolved: true }] },
  ],
  inhibitRules: [],
  timeIntervals: new Map(),
  templates: [],
  resolveTimeoutMs: 5 * 60_000,
  faultAt: (where, what, why) => `${where} ${what}: ${why}`,
  printed: `global:\n  resolve_timeout: 5m\nroute:\n  receiver: ${NAME}\nreceivers:\n  - name: ${NAME}\n`,
}
