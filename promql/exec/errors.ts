import { AppError } from '../../lib/index.ts'

/** The expression parses but cannot be evaluated: duplicate matches, bad arguments, colliding label sets. */
export class QueryExecutionError extends AppError {
  override readonly code = 'ERR_QUERY_EXECUTION'
  override readonly httpStatus = 422
}

/** The expression or its parameters do not fit this kind of query. */
export class QueryInvalidError extends AppError {
  override readonly code = 'ERR_QUERY_INVALID'
  override readonly httpStatus = 400
}

/** More samples would be held in memory at one time than the limit allows. */
export class QueryTooManySamplesError extends AppError {
  override readonly code = 'ERR_QUERY_TOO_MANY_SAMPLES'
  override readonly httpStatus = 422

  constructor() {
    super('query processing would load too many samples into memory in query execution')
  }
}

/** The deadline passed. */
export class QueryTimeoutError extends AppError {
  override readonly code = 'ERR_QUERY_TIMEOUT'
  override readonly httpStatus = 503

  constructor(during: 'expression evaluation' | 'query queue' = 'expression evaluation') {
    super(`query timed out in ${during}`)
  }
}

/** Whoever asked is gone, or the query was killed. */
export class QueryCanceledError extends AppError {
  override readonly code = 'ERR_QUERY_CANCELED'
  override readonly httpStatus = 499

  constructor() {
    super('query was canceled in expression evaluation')
  }
}
