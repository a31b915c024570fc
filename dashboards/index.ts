// Dashboards: the built browser files, and the arithmetic of panels that other parts may want too.
export { uiAssetsDir, uiContentSecurityPolicy, uiIndexHtml } from './assets.ts'
export * from './model/board.ts'
export * from './model/graph-url.ts'
export * from './model/interval.ts'
export * from './model/recognise.ts'
export * from './model/time-range.ts'
export * from './model/units.ts'
export { DashboardStore, type StoredDashboard } from './store/store.ts'
