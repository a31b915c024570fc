import { formatDuration } from '../../model/duration.ts'
import { formatFloatGeneral, formatFloatPlain } from '../../model/float.ts'
import { compareStrings, isLegacyLabelName, METRIC_NAME } from '../../model/labels.ts'
import type { Matcher } from '../../model/matcher.ts'
import { quoteGo } from '../../model/go-quote.ts'
import type {
  Aggregation,
  AtModifier,
  BinaryExpr,
  DurationExpr,
  Expr,
  MatrixSelector,
  NumberLiteral,
  Subquery,
  VectorSelector,
} from '../parse/ast.ts'

/** The expression on one line, in Prometheus' normal form: `sum by (job) (rate(x[5m]))`. Parses back to the same tree. */
export function printExpr(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
      return printNumber(expr)
    case 'string':
      return quoteGo(expr.value)
    case 'vectorSelector':
      return `${printBareSelector(expr)}${printAt(expr.at)}${printExtension(expr)}${printOffset(expr)}`
    case 'matrixSelector':
      return printMatrix(expr)
    case 'subquery':
      return `${printExpr(expr.expr)}${subquerySuffix(expr)}`
    case 'call':
      return `${expr.name}(${expr.args.map(printExpr).join(', ')})`
    case 'aggregation': {
      const param = expr.param ? `${printExpr(expr.param)}, ` : ''
      return `${aggregationHead(expr)}(${param}${printExpr(expr.expr)})`
    }
    case 'binary':
      return `${printExpr(expr.left)} ${operatorWithMatching(expr)} ${printExpr(expr.right)}`
    case 'unary':
      return `${expr.op}${printExpr(expr.expr)}`
    case 'paren':
      return `(${printExpr(expr.expr)})`
    case 'stepInvariant':
      return printExpr(expr.expr)
  }
}

/** `sum by (job) ` or `sum`. */
export function aggregationHead({ op, without, grouping }: Aggregation): string {
  if (without) return `${op} without (${printLabels(grouping)}) `
  return grouping.length > 0 ? `${op} by (${printLabels(grouping)}) ` : op
}

/** `== bool on (a) group_left (b)`. */
export function operatorWithMatching({ op, returnBool, matching }: BinaryExpr): string {
  let text = returnBool ? `${op} bool` : op
  if (!matching) return text
  const { card, labels, on, include, fillLeft, fillRight } = matching
  const grouped = card === 'many-to-one' || card === 'one-to-many'
  if (labels.length > 0 || on || grouped) text += ` ${on ? 'on' : 'ignoring'} (${printLabels(labels)})`
  if (grouped) text += ` group_${card === 'many-to-one' ? 'left' : 'right'} (${printLabels(include)})`
  if (fillLeft !== undefined && fillLeft === fillRight) return `${text} fill (${formatFloatGeneral(fillLeft)})`
  if (fillLeft !== undefined) text += ` fill_left (${formatFloatGeneral(fillLeft)})`
  if (fillRight !== undefined) text += ` fill_right (${formatFloatGeneral(fillRight)})`
  return text
}

/** `[5m:30s] @ 1.000 offset 1m`. */
export function subquerySuffix(subquery: Subquery): string {
  const step = subquery.stepExpr
    ? printDuration(subquery.stepExpr)
    : subquery.stepMs !== 0
      ? formatDuration(subquery.stepMs)
      : ''
  return `[${printRange(subquery)}:${step}]${printAt(subquery.at)}${printOffset(subquery)}`
}

/** A duration as it stands in brackets or behind `offset`. */
export function printDuration(duration: DurationExpr): string {
  switch (duration.kind) {
    case 'number':
      return printNumber(duration)
    case 'step':
    case 'range':
      return `${duration.kind}()`
    case 'min':
    case 'max':
      return `${duration.kind}_of(${printDuration(duration.left)}, ${printDuration(duration.right)})`
    case 'binary':
      return `${printDuration(duration.left)} ${duration.op} ${printDuration(duration.right)}`
    case 'negate':
      return `-${printDuration(duration.inner)}`
    case 'paren':
      return `(${printDuration(duration.inner)})`
  }
}

function printNumber({ value, isDuration }: Pick<NumberLiteral, 'value' | 'isDuration'>): string {
  return isDuration ? formatDuration(Math.round(value * 1000)) : formatFloatPlain(value)
}

function printMatrix(matrix: MatrixSelector): string {
  const { selector } = matrix
  const range = `[${printRange(matrix)}]`
  return `${printBareSelector(selector)}${range}${printExtension(selector)}${printAt(selector.at)}${printOffset(selector)}`
}

function printBareSelector({ name, matchers }: VectorSelector): string {
  const texts = matchers.filter((matcher) => !isNameItself(matcher, name)).map(printMatcher)
  return texts.length > 0 ? `${name}{${texts.sort(compareStrings).join(',')}}` : name
}

const isNameItself = (matcher: Matcher, name: string): boolean =>
  name !== '' && matcher.name === METRIC_NAME && matcher.type === '=' && matcher.value === name

const printMatcher = ({ name, type, value }: Matcher): string => `${printLabel(name)}${type}${quoteGo(value)}`

const printLabel = (name: string): string => (isLegacyLabelName(name) ? name : quoteGo(name))

const printLabels = (names: readonly string[]): string => names.map(printLabel).join(', ')

const printRange = ({ rangeMs, rangeExpr }: Pick<Subquery, 'rangeMs' | 'rangeExpr'>): string =>
  rangeExpr ? printDuration(rangeExpr) : formatDuration(rangeMs)

function printOffset({ offsetMs, offsetExpr }: Pick<Subquery, 'offsetMs' | 'offsetExpr'>): string {
  if (offsetExpr) return ` offset ${printDuration(offsetExpr)}`
  return offsetMs === 0 ? '' : ` offset ${formatDuration(offsetMs)}`
}

function printAt(at: AtModifier | undefined): string {
  if (!at) return ''
  return at.kind === 'time' ? ` @ ${(at.timestampMs / 1000).toFixed(3)}` : ` @ ${at.kind}()`
}

const printExtension = ({ anchored, smoothed }: VectorSelector): string =>
  anchored ? ' anchored' : smoothed ? ' smoothed' : ''
