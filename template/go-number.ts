import { parseGoFloat } from '../model/index.ts'

/** Integers stay exact; a point or an exponent makes a float. `undefined` where Go refuses it. */
export function numberOf(text: string): bigint | number | undefined {
  const [, sign = '', body = ''] = /^([+-]?)(.*)$/.exec(text) ?? []
  const digits = body.replace(/(?<=[0-9a-fA-FxXoObB])_(?=[0-9a-fA-F])/g, '')
  if (/^0[xX][0-9a-fA-F]+$|^0[oO][0-7]+$|^0[bB][01]+$|^[1-9]\d*$|^0$/.test(digits)) return signed(BigInt(digits), sign)
  if (/^0[0-7]+$/.test(digits)) return signed(BigInt(`0o${digits}`), sign)
  const value = parseGoFloat(digits)
  return value === undefined || !/^[.\d]/.test(digits) ? undefined : sign === '-' ? -value : value
}

function signed(value: bigint, sign: string): bigint | undefined {
  const result = sign === '-' ? -value : value
  return result === BigInt.asIntN(64, result) ? result : undefined
}
