/** `belltower silence …`: what amtool's `silence` does. */
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { parseMatcher } from '../../alertmanager/index.ts'
import { errorMessage } from '../../lib/index.ts'
import { parseDuration } from '../../model/index.ts'
import {
  type AlertsClient,
  CommandError,
  matcherTexts,
  pairsOf,
  printTable,
  queryText,
  withApi,
  withServerOptions,
} from './alert-client.ts'

interface ApiMatcher {
  readonly name: string
  readonly value: string
  readonly isRegex: boolean
  readonly isEqual: boolean
}

interface Silence {
  readonly id?: string
  readonly matchers: readonly ApiMatcher[]
  readonly startsAt: string
  readonly endsAt: string
  readonly createdBy: string
  readonly comment: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly status?: { readonly state: string }
}

interface TimeFlags {
  readonly duration: string
  readonly start?: string
  readonly end?: string
}

interface AddFlags extends TimeFlags {
  readonly author: string
  readonly comment: string
  readonly requireComment: boolean
  readonly annotation: readonly string[]
}

interface QueryFlags {
  readonly expired?: boolean
  readonly quiet?: boolean
  readonly id?: string
  readonly createdBy?: string
  readonly within?: string
}

export function registerSilenceCommand(program: Command): void {
  const silence = program.command('silence').description('show and change silences of a running server')
  addQuery(silence)
  addAdd(silence)
  addUpdate(silence)
  withServerOptions(silence.command('expire'))
    .description('end silences now')
    .argument('<ids...>')
    .action((ids: string[], _flags: unknown, command: Command) =>
      withApi(command, async (api) => {
        for (const id of ids) await api.v2('DELETE', `/silence/${encodeURIComponent(id)}`)
      }),
    )
  withServerOptions(silence.command('import'))
    .description('make silences out of what `silence query -o json` printed')
    .argument('[file]', 'default: standard input')
    .option('-f, --force', 'make new ones in place of those that have an id', false)
    .action((file: string | undefined, flags: { force: boolean }, command: Command) =>
      withApi(command, (api) => importAll(api, readFileSync(file ?? 0, 'utf8'), flags.force)),
    )
}

function addQuery(silence: Command): void {
  withServerOptions(silence.command('query', { isDefault: true }))
    .description('silences that are not over')
    .argument('[matchers...]')
    .option('--expired', 'those that are over instead')
    .option('-q, --quiet', 'ids only')
    .option('--id <id>', 'only this one')
    .option('--created-by <name>', 'only those of one author')
    .option('--within <duration>', 'that end, or have ended, within this time')
    .action((matchers: string[], flags: QueryFlags, command: Command) =>
      withApi(command, async (api, output) => {
        const filter = queryText(matcherTexts(matchers).map((matcher) => ['filter', matcher] as const))
        const found = ((await api.v2('GET', `/silences${filter}`)) as Silence[]).filter((one) => isWanted(one, flags))
        if (flags.quiet) for (const { id } of found) console.log(id)
        else if (output === 'json') console.log(JSON.stringify(found))
        else printSilences(found, output === 'extended')
      }),
    )
}

function isWanted(silence: Silence, { expired = false, id, createdBy, within }: QueryFlags): boolean {
  const endsAtMs = Date.parse(silence.endsAt)
  if (expired !== (silence.status?.state === 'expired')) return false
  if (id !== undefined && silence.id !== id) return false
  if (createdBy !== undefined && silence.createdBy !== createdBy) return false
  return within === undefined || Math.abs(endsAtMs - Date.now()) <= parseDuration(within)
}

const withTimes = (command: Command, durationDefault: string): Command =>
  command
    .option('-d, --duration <duration>', 'how long', durationDefault)
    .option('--start <time>', 'RFC 3339; default: now')
    .option('--end <time>', 'RFC 3339; goes before --duration')

function addAdd(silence: Command): void {
  withTimes(withServerOptions(silence.command('add')), '1h')
    .description('make a silence and print its id')
    .argument('<matchers...>', 'such as severity=page; a word alone is the alert name')
    .option('-a, --author <name>', 'who does it', userInfo().username)
    .option('-c, --comment <text>', 'why', '')
    .option('--no-require-comment', 'allow an empty comment')
    .option('--annotation <name=value>', 'repeatable', (value: string, before: string[]) => [...before, value], [])
    .action((matchers: string[], flags: AddFlags, command: Command) =>
      withApi(command, async (api) => {
        if (flags.requireComment && flags.comment === '') throw new CommandError('comment required by default')
        await put(api, {
          matchers: matcherTexts(matchers).map(apiMatcher),
          ...timesOf(flags, new Date()),
          createdBy: flags.author,
          comment: flags.comment,
          ...(flags.annotation.length > 0 && { annotations: pairsOf(flags.annotation) }),
        })
      }),
    )
}

function addUpdate(silence: Command): void {
  withServerOptions(silence.command('update'))
    .description('change when silences end, or their comment; prints the ids')
    .argument('<ids...>')
    .option('-d, --duration <duration>', 'how long from its start')
    .option('--start <time>', 'RFC 3339')
    .option('--end <time>', 'RFC 3339; goes before --duration')
    .option('-c, --comment <text>', 'another comment')
    .action((ids: string[], flags: Partial<TimeFlags> & { comment?: string }, command: Command) =>
      withApi(command, async (api) => {
        for (const id of ids) {
          const known = (await api.v2('GET', `/silence/${encodeURIComponent(id)}`)) as Silence
          const startsAt = flags.start ?? known.startsAt
          const endsAt =
            flags.end ??
            (flags.duration === undefined
              ? known.endsAt
              : new Date(Date.parse(startsAt) + parseDuration(flags.duration)).toISOString())
          await put(api, { ...known, startsAt, endsAt, comment: flags.comment ?? known.comment })
        }
      }),
    )
}

function timesOf({ duration, start, end }: TimeFlags, now: Date): { startsAt: string; endsAt: string } {
  const startsAt = start ?? now.toISOString()
  const endsAt = end ?? new Date(Date.parse(startsAt) + parseDuration(duration)).toISOString()
  if (Date.parse(endsAt) <= Date.parse(startsAt)) throw new CommandError('silence cannot start after it ends')
  return { startsAt, endsAt }
}

function apiMatcher(text: string): ApiMatcher {
  try {
    const { name, value, type } = parseMatcher(text)
    return { name, value, isRegex: type.includes('~'), isEqual: !type.startsWith('!') }
  } catch (error) {
    throw new CommandError(errorMessage(error))
  }
}

async function put(api: AlertsClient, silence: Silence): Promise<void> {
  const { silenceID } = (await api.v2('POST', '/silences', silence)) as { silenceID: string }
  console.log(silenceID)
}

/** Every one that can be made is made; the first that cannot makes the command fail in the end. */
async function importAll(api: AlertsClient, text: string, force: boolean): Promise<void> {
  let silences: Silence[]
  try {
    silences = JSON.parse(text) as Silence[]
    if (!Array.isArray(silences)) throw new Error('expected a list of silences')
  } catch (error) {
    throw new CommandError(`couldn't unmarshal input data: ${errorMessage(error)}`)
  }
  let failedCount = 0
  for (const { id, ...silence } of silences) {
    try {
      await put(api, force || id === undefined ? silence : { id, ...silence })
    } catch (error) {
      failedCount++
      console.error(`Error adding silence id=${id ?? ''}: ${errorMessage(error)}`)
    }
  }
  if (failedCount > 0) throw new CommandError(`couldn't import ${failedCount} out of ${silences.length} silences`)
}

function printSilences(silences: readonly Silence[], extended: boolean): void {
  const time = (text: string): string => text.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')
  const matchersText = (matchers: readonly ApiMatcher[]): string =>
    matchers
      .map(({ name, value, isRegex, isEqual }) => {
        const type = isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!='
        return `${name}${type}${JSON.stringify(value)}`
      })
      .join(' ')
  const rows = silences.map(({ id = '', matchers, startsAt, endsAt, createdBy, comment }) =>
    extended
      ? [id, matchersText(matchers), time(startsAt), time(endsAt), createdBy, comment]
      : [id, matchersText(matchers), time(endsAt), createdBy, comment],
  )
  const head = extended
    ? ['ID', 'Matchers', 'Starts At', 'Ends At', 'Created By', 'Comment']
    : ['ID', 'Matchers', 'Ends At', 'Created By', 'Comment']
  printTable(head, rows)
}
