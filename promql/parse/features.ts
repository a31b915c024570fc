/** Parts of the language that Prometheus hides behind feature flags. */
export interface ParserFeatures {
  /** `limitk`, `info`, `sort_by_label` and the other functions marked as experimental. */
  readonly experimentalFunctions: boolean
  /** `anchored` and `smoothed`. */
  readonly extendedRangeSelectors: boolean
  /** `fill`, `fill_left` and `fill_right` of binary operators. */
  readonly fillModifiers: boolean
  /** Arithmetic, `step()`, `range()`, `min_of` and `max_of` in ranges and offsets. */
  readonly durationExpressions: boolean
}

/** What Prometheus 3.14 has on without any flag. */
export const DEFAULT_FEATURES: ParserFeatures = {
  experimentalFunctions: false,
  extendedRangeSelectors: false,
  fillModifiers: false,
  durationExpressions: true,
}

export const ALL_FEATURES: ParserFeatures = {
  experimentalFunctions: true,
  extendedRangeSelectors: true,
  fillModifiers: true,
  durationExpressions: true,
}
