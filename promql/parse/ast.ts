/** The syntax tree of a PromQL expression. Plain data (regexes aside), so it can be printed, walked and posted. */
import type { Matcher } from '../../model/matcher.ts'

/** Offsets into the expression text in UTF-16 units, end exclusive. Errors and annotations print line:column from it. */
export interface Span {
  readonly start: number
  readonly end: number
}

export type ValueType = 'scalar' | 'string' | 'vector' | 'matrix'

export type Expr =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | Subquery
  | Call
  | Aggregation
  | BinaryExpr
  | UnaryExpr
  | ParenExpr
  | StepInvariant

export interface NumberLiteral {
  readonly kind: 'number'
  readonly value: number
  /** Written as a duration (`5m`), which the printer keeps. */
  readonly isDuration: boolean
  readonly span: Span
}

export interface StringLiteral {
  readonly kind: 'string'
  readonly value: string
  readonly span: Span
}

/** `@ 123`, `@ start()`, `@ end()`. */
export type AtModifier = { readonly kind: 'time'; readonly timestampMs: number } | { readonly kind: 'start' | 'end' }

/** A duration given as an expression (`[5m * 2]`, `offset (step())`), evaluated once the query's step is known. */
export type DurationExpr =
  | { readonly kind: 'number'; readonly value: number; readonly isDuration: boolean; readonly span: Span }
  | { readonly kind: 'step' | 'range'; readonly span: Span }
  | { readonly kind: 'min' | 'max'; readonly left: DurationExpr; readonly right: DurationExpr; readonly span: Span }
  | {
      readonly kind: 'binary'
      readonly op: '+' | '-' | '*' | '/' | '%' | '^'
      readonly left: DurationExpr
      readonly right: DurationExpr
      readonly span: Span
    }
  | { readonly kind: 'negate' | 'paren'; readonly inner: DurationExpr; readonly span: Span }

export interface VectorSelector {
  readonly kind: 'vectorSelector'
  /** '' when the name was given as a matcher only. */
  readonly name: string
  /** The name's matcher included. */
  readonly matchers: readonly Matcher[]
  readonly offsetMs: number
  readonly offsetExpr: DurationExpr | undefined
  readonly at: AtModifier | undefined
  readonly anchored: boolean
  readonly smoothed: boolean
  readonly span: Span
}

export interface MatrixSelector {
  readonly kind: 'matrixSelector'
  readonly selector: VectorSelector
  readonly rangeMs: number
  readonly rangeExpr: DurationExpr | undefined
  readonly span: Span
}

export interface Subquery {
  readonly kind: 'subquery'
  readonly expr: Expr
  readonly rangeMs: number
  readonly rangeExpr: DurationExpr | undefined
  /** 0 = the default evaluation interval. */
  readonly stepMs: number
  readonly stepExpr: DurationExpr | undefined
  readonly offsetMs: number
  readonly offsetExpr: DurationExpr | undefined
  readonly at: AtModifier | undefined
  readonly span: Span
}

export interface Call {
  readonly kind: 'call'
  readonly name: string
  readonly args: readonly Expr[]
  readonly span: Span
}

export type AggregationOp =
  | 'sum'
  | 'avg'
  | 'min'
  | 'max'
  | 'count'
  | 'group'
  | 'stddev'
  | 'stdvar'
  | 'topk'
  | 'bottomk'
  | 'count_values'
  | 'quantile'
  | 'limitk'
  | 'limit_ratio'

export interface Aggregation {
  readonly kind: 'aggregation'
  readonly op: AggregationOp
  readonly expr: Expr
  /** The k, φ, ratio or label name; `undefined` for the others. */
  readonly param: Expr | undefined
  readonly grouping: readonly string[]
  readonly without: boolean
  readonly span: Span
}

export type BinaryOp =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '^'
  | 'atan2'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | '</'
  | '>/'
  | 'and'
  | 'or'
  | 'unless'

export type MatchCardinality = 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many'

export interface VectorMatching {
  readonly card: MatchCardinality
  readonly labels: readonly string[]
  /** True for `on`, false for `ignoring` and for no clause at all. */
  readonly on: boolean
  /** Labels copied from the "one" side by `group_left`/`group_right`. */
  readonly include: readonly string[]
  readonly fillLeft: number | undefined
  readonly fillRight: number | undefined
}

export interface BinaryExpr {
  readonly kind: 'binary'
  readonly op: BinaryOp
  readonly left: Expr
  readonly right: Expr
  /** Set when both sides are vectors. */
  readonly matching: VectorMatching | undefined
  readonly returnBool: boolean
  readonly span: Span
}

export interface UnaryExpr {
  readonly kind: 'unary'
  readonly op: '+' | '-'
  readonly expr: Expr
  readonly span: Span
}

export interface ParenExpr {
  readonly kind: 'paren'
  readonly expr: Expr
  readonly span: Span
}

/** Put in by the planner, never by the parser: `expr` has one value for all steps. */
export interface StepInvariant {
  readonly kind: 'stepInvariant'
  readonly expr: Expr
  readonly span: Span
}
