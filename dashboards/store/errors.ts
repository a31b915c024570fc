import { AppError } from '../../lib/errors.ts'

/** No dashboard, folder or version of this name. */
export class DashboardNotFoundError extends AppError {
  override readonly code = 'ERR_DASHBOARD_NOT_FOUND'
  override readonly httpStatus = 404
}

/** Somebody else has saved in the meantime, or the name is taken. */
export class DashboardConflictError extends AppError {
  override readonly code = 'ERR_DASHBOARD_CONFLICT'
  override readonly httpStatus = 412
}

/** The dashboard comes from a file and is changed there. */
export class DashboardReadOnlyError extends AppError {
  override readonly code = 'ERR_DASHBOARD_READ_ONLY'
  override readonly httpStatus = 403
}
