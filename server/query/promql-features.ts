import type { ParserFeatures } from '../../promql/index.ts'

/** What `--enable-feature` switches on in PromQL. */
export interface PromqlFeatures {
  readonly parser: Partial<ParserFeatures>
  /** Metric names are dropped at the end of a query. */
  readonly delayedNameRemoval: boolean
  /** `stats=all` tells of each step. */
  readonly perStepStats: boolean
}

/** @param names given with `--enable-feature` */
export const promqlFeaturesOf = (names: ReadonlySet<string>): PromqlFeatures => ({
  parser: {
    experimentalFunctions: names.has('promql-experimental-functions'),
    extendedRangeSelectors: names.has('promql-extended-range-selectors'),
    fillModifiers: names.has('promql-binop-fill-modifiers'),
  },
  delayedNameRemoval: names.has('promql-delayed-name-removal'),
  perStepStats: names.has('promql-per-step-stats'),
})
