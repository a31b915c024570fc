/** Functions of one value; `__name__` is dropped by all of them. */
export const unaryMath: Readonly<Record<string, (x: number) => number>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  floor: Math.floor,
  exp: Math.exp,
  ln: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  sqrt: Math.sqrt,
  // Zeros keep their sign.
  sgn: (x) => (x < 0 ? -1 : x > 0 ? 1 : x),
  deg: (x) => (x * 180) / Math.PI,
  rad: (x) => (x * Math.PI) / 180,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
}

/** Functions of a value and scalar parameters; `undefined` leaves the step empty. */
export const parametricMath: Readonly<
  Record<string, (x: number, parameters: readonly (number | undefined)[]) => number | undefined>
> = {
  round: (x, [toNearest = 1]) => {
    // The inverse first, as Prometheus does: it decides how the last digit rounds.
    const inverse = 1 / toNearest
    return Math.floor(x * inverse + 0.5) / inverse
  },
  clamp: (x, [min = Number.NaN, max = Number.NaN]) => (max < min ? undefined : Math.max(min, Math.min(max, x))),
  clamp_min: (x, [min = Number.NaN]) => Math.max(min, x),
  clamp_max: (x, [max = Number.NaN]) => Math.min(max, x),
}

/** IEEE 754-2008 pow, which Go follows: 1 to any power and ±1 to an infinite power are 1. */
export function pow(x: number, y: number): number {
  if (x === 1) return 1
  if (x === -1 && (y === Number.POSITIVE_INFINITY || y === Number.NEGATIVE_INFINITY)) return 1
  return x ** y
}
