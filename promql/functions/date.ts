const SECONDS_PER_DAY = 86_400
const DAYS_PER_ERA = 146_097
// Days from 0000-03-01 to 1970-01-01, in the proleptic Gregorian calendar.
const EPOCH_DAYS = 719_468

interface CivilDate {
  readonly year: number
  /** 1–12. */
  readonly month: number
  readonly day: number
}

/** Functions of Unix seconds, all in UTC. Fractions are cut off toward zero; years far beyond those of `Date` work. */
export const dateFunctions: Readonly<Record<string, (seconds: number) => number>> = {
  minute: (seconds) => Math.floor(secondOfDay(seconds) / 60) % 60,
  hour: (seconds) => Math.floor(secondOfDay(seconds) / 3600),
  day_of_week: (seconds) => floorMod(dayNumber(seconds) + 4, 7),
  day_of_month: (seconds) => civilDate(dayNumber(seconds)).day,
  day_of_year: (seconds) => {
    const days = dayNumber(seconds)
    return days - daysToYear(civilDate(days).year) + 1
  },
  days_in_month: (seconds) => {
    const { year, month } = civilDate(dayNumber(seconds))
    return month === 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
  },
  month: (seconds) => civilDate(dayNumber(seconds)).month,
  year: (seconds) => civilDate(dayNumber(seconds)).year,
}

/**
 * Whole seconds. What is no number or does not fit into 64 bits becomes the smallest such number (Go on x86-64), which the
 * calendar's own arithmetic then carries over to the far end.
 */
const wholeSeconds = (seconds: number): number => (Math.abs(seconds) < 2 ** 63 ? Math.trunc(seconds) : 2 ** 63)

const floorMod = (a: number, b: number): number => ((a % b) + b) % b

const dayNumber = (seconds: number): number => Math.floor(wholeSeconds(seconds) / SECONDS_PER_DAY)

const secondOfDay = (seconds: number): number => floorMod(wholeSeconds(seconds), SECONDS_PER_DAY)

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0

/** Gregorian date of a day number (1970-01-01 is 0): years counted from March, so that the leap day is the last one. */
function civilDate(days: number): CivilDate {
  const shifted = days + EPOCH_DAYS
  const era = Math.floor(shifted / DAYS_PER_ERA)
  const dayOfEra = shifted - era * DAYS_PER_ERA
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
  }
}

/** Day number of January 1st. */
function daysToYear(year: number): number {
  const before = year - 1
  return 365 * before + Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) + 306 - EPOCH_DAYS
}
