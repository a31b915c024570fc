/** The series that tell which alerts there are. */
export const ALERTS_METRIC = 'ALERTS'
/** The series that remember when each alert began. */
export const ALERTS_FOR_STATE_METRIC = 'ALERTS_FOR_STATE'
