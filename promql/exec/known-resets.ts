import { CounterResetHint, type NativeHistogram, type SeriesColumn } from '../../model/index.ts'
import { withHint } from '../histogram/arithmetic.ts'
import { detectReset } from '../histogram/resets.ts'

/** The column with every histogram saying whether its counter was reset since the one before it. */
export function withKnownResets(column: SeriesColumn): SeriesColumn {
  const { histograms } = column
  if (histograms === undefined) return column
  let before: NativeHistogram | undefined
  const known = histograms.map((histogram) => {
    const previous = before
    before = histogram ?? before
    if (histogram === undefined || previous === undefined) return histogram
    if (histogram.counterResetHint !== CounterResetHint.UNKNOWN) return histogram
    return withHint(histogram, detectReset(histogram, previous) ? CounterResetHint.RESET : CounterResetHint.NOT_RESET)
  })
  return { ...column, histograms: known }
}
