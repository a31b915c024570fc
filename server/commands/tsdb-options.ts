/** What the commands on data folders have in common: options, and how failures end them. */
import { existsSync } from 'node:fs'
import { type Command, InvalidArgumentError } from 'commander'
import { AppError } from '../../lib/errors.ts'
import { silentLogger } from '../../lib/log.ts'
import type { Matcher } from '../../model/index.ts'
import { parseSelector } from '../../promql/index.ts'
import { openOfflineStore, type Selection, storePlaceOf, type Tsdb } from '../../tsdb/index.ts'
import { CommandError } from './alert-client.ts'

export interface StoreOptions {
  readonly 'storage.tsdb.path': string
  readonly json?: boolean
}

export interface SelectionOptions {
  readonly minTime?: number
  readonly maxTime?: number
  readonly match: readonly (readonly Matcher[])[]
}

/** @param ofFolder what is said of the data folder */
export const withStoreOptions = (command: Command, ofFolder = 'data folder; no server may have it open'): Command =>
  command.option('--storage.tsdb.path <dir>', ofFolder, 'data/').option('--json', 'print JSON')

export const withSelectionOptions = (command: Command): Command =>
  command
    .option('--min-time <time>', 'RFC 3339, Unix seconds or milliseconds; default the oldest sample', timeOf)
    .option('--max-time <time>', 'as --min-time, inclusive; default the newest sample', timeOf)
    .option('--match <selector>', 'only series that it selects, repeatable', addSelector, [])

export const selectionOf = ({ minTime, maxTime, match }: SelectionOptions): Selection => ({
  minTimeMs: minTime,
  maxTimeMs: maxTime,
  matcherSets: match,
})

/** Has `job` work on the store, and closes it. */
export async function withStore<T>(dataDir: string, job: (store: Tsdb) => Promise<T> | T): Promise<T> {
  const store = await openOfflineStore(dataDir, silentLogger)
  try {
    return await job(store)
  } finally {
    await store.close()
  }
}

/** An action whose expected failures are one line. */
export const action =
  <A extends unknown[]>(run: (...args: A) => Promise<void> | void) =>
  async (...args: A): Promise<void> => {
    try {
      await run(...(args.map(atStorePlace) as A))
    } catch (error) {
      if (error instanceof AppError && !(error instanceof CommandError)) {
        throw new CommandError(error.message, { cause: error })
      }
      throw error
    }
  }

/** Options that name a Prometheus' data folder mean the store in it, once there is one. */
function atStorePlace(argument: unknown): unknown {
  const path = (argument as Partial<StoreOptions> | undefined)?.['storage.tsdb.path']
  if (path === undefined) return argument
  const { dataDir } = storePlaceOf(path)
  return existsSync(dataDir) ? { ...(argument as object), 'storage.tsdb.path': dataDir } : argument
}

// Seconds have fewer digits for the next three thousand years.
const MILLISECONDS_MIN = 1e11

function timeOf(text: string): number {
  const number = Number(text)
  const timeMs = Number.isNaN(number)
    ? Date.parse(text)
    : Math.abs(number) >= MILLISECONDS_MIN
      ? number
      : Math.round(number * 1000)
  if (text.trim() === '' || !Number.isSafeInteger(timeMs)) throw new InvalidArgumentError('not a time')
  return timeMs
}

function addSelector(text: string, before: readonly (readonly Matcher[])[]): (readonly Matcher[])[] {
  try {
    return [...before, parseSelector(text)]
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}
