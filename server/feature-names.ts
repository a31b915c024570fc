/** Switched on by their names. */
const SWITCHES: ReadonlySet<string> = new Set([
  'created-timestamp-zero-ingestion',
  'promql-binop-fill-modifiers',
  'promql-delayed-name-removal',
  'promql-experimental-functions',
  'promql-extended-range-selectors',
  'promql-per-step-stats',
])

/** What Prometheus has, or had, behind a flag, and is always on here. */
const ALWAYS_ON: ReadonlySet<string> = new Set([
  'concurrent-rule-eval',
  'exemplar-storage',
  'metadata-wal-records',
  'native-histograms',
  'ooo-native-histograms',
  'promql-at-modifier',
  'promql-duration-expr',
  'promql-negative-offset',
])

/** What to tell whoever names features that nothing acts on. @param names given with `--enable-feature` */
export const featureWarnings = (names: ReadonlySet<string>): string[] =>
  [...names]
    .filter((name) => name !== '' && !SWITCHES.has(name) && !ALWAYS_ON.has(name))
    .map((name) => `feature ${name} of --enable-feature has no effect here`)
