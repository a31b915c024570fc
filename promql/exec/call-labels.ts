import { labelValue, METRIC_NAME } from '../../model/index.ts'
import { labelJoin, labelReplace } from '../functions/label-functions.ts'
import type { Call } from '../parse/ast.ts'
import { type EvalContext, evaluateVector } from './context.ts'
import { LabelMerger } from './drop-names.ts'
import { evaluateString } from './evaluate-string.ts'
import type { StepSeries } from './step-series.ts'

/** Values up to here count for nothing; of longer ones so many characters are held for each sample that might be. */
const SHORT_VALUE_LENGTH = 1024
const CHARACTERS_PER_SAMPLE = 16

/** `label_replace` and `label_join`. */
export function* changeLabels(expr: Call, ctx: EvalContext): Generator<StepSeries> {
  const [destination, ...texts] = expr.args.slice(1).map(evaluateString) as [string, string, string, string]
  const change =
    expr.name === 'label_replace'
      ? labelReplace(destination, texts[0], texts[1], texts[2])
      : labelJoin(destination, texts[0], texts.slice(1))
  const merger = new LabelMerger(ctx)
  const { limits } = ctx.query
  for (const series of evaluateVector(expr.args[0]!, ctx)) {
    limits.poll()
    const labels = change(series.labels)
    if (labels !== undefined) {
      const { length } = labelValue(labels, destination)
      if (length > SHORT_VALUE_LENGTH) limits.hold(Math.ceil(length / CHARACTERS_PER_SAMPLE))
      series.labels = labels
      // A name that was written on purpose stays.
      if (destination === METRIC_NAME) series.dropName = false
    }
    merger.add(series)
  }
  yield* merger.series()
}
