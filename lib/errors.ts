/**
 * An expected failure: a stable `code` (listed in docs/errors.md), the facts as fields of the subclass, and the HTTP status
 * it turns into. Everything that is thrown on purpose extends this class; anything else is a bug.
 */
export class AppError extends Error {
  readonly code: string = 'ERR_INTERNAL'
  readonly httpStatus: number = 500

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/** A promise the code made to itself does not hold. Stops the request; never caught to continue. */
export class InvariantError extends AppError {
  override readonly code = 'ERR_INVARIANT'
}

/** @throws {InvariantError} unless `condition` holds */
export function invariant(condition: unknown, why: string): asserts condition {
  if (!condition) throw new InvariantError(`broken invariant: ${why}`)
}

/** The message of anything thrown, for logs and answers. */
export function errorMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
