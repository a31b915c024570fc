/** `belltower oncall …`: who is on call by the schedules of a running server, and who takes over for a while. */
import type { Command } from 'commander'
import { CommandError, printTable, queryText, withApi, withServerOptions } from './alert-client.ts'

interface OnCallJson {
  readonly schedule: string
  readonly people: readonly string[]
  readonly source: string
  readonly until: string | null
  readonly next: readonly string[]
}

interface ShiftJson {
  readonly people: readonly string[]
  readonly source: string
  readonly from: string
  readonly to: string
}

interface OverrideJson {
  readonly id: string
  readonly schedule: string
  readonly people: readonly string[]
  readonly from: string
  readonly to: string
  readonly comment: string
  readonly createdBy: string
}

export function registerOnCallCommand(program: Command): void {
  const oncall = program.command('oncall').description('who is on call by the schedules of a running server')
  withServerOptions(oncall.command('now', { isDefault: true }))
    .description('print who is on call')
    .option('--at <time>', 'at another time, RFC 3339')
    .action((flags: { at?: string }, command: Command) =>
      withApi(command, async (api, output) => {
        const query = queryText(flags.at === undefined ? [] : [['at', flags.at]])
        const views = (await api.own('GET', `/on-call${query}`)) as OnCallJson[]
        if (output === 'json') return console.log(JSON.stringify(views))
        printTable(
          ['Schedule', 'On call', 'By', 'Until', 'Then'],
          views.map(({ schedule, people, source, until, next }) => [
            schedule,
            names(people),
            source,
            until ?? '',
            until === null ? '' : names(next),
          ]),
        )
      }),
    )
  withServerOptions(oncall.command('shifts'))
    .description('print the shifts of a schedule, gaps among them')
    .argument('<schedule>')
    .option('--from <time>', 'RFC 3339; default: now')
    .option('--to <time>', 'RFC 3339; default: a week later')
    .action((schedule: string, flags: { from?: string; to?: string }, command: Command) =>
      withApi(command, async (api, output) => {
        const range = Object.entries({ from: flags.from, to: flags.to })
        const query = queryText(range.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])))
        const path = `/on-call/schedules/${encodeURIComponent(schedule)}/shifts${query}`
        const shifts = (await api.own('GET', path)) as ShiftJson[]
        if (output === 'json') return console.log(JSON.stringify(shifts))
        printTable(
          ['From', 'To', 'On call', 'By'],
          shifts.map(({ from, to, people, source }) => [from, to, names(people), source]),
        )
      }),
    )
  registerOverrides(oncall)
}

function registerOverrides(oncall: Command): void {
  const override = oncall.command('override').description('take over a schedule for a while')
  withServerOptions(override.command('add'))
    .description('put others on call; prints the id')
    .argument('<schedule>')
    .argument('[people...]', 'nobody given: nobody is on call')
    .requiredOption('--to <time>', 'RFC 3339')
    .option('--from <time>', 'RFC 3339; default: now')
    .option('-c, --comment <text>', 'why', '')
    .option('-a, --author <name>', 'who says so', process.env['USER'] ?? '')
    .action((schedule: string, people: string[], flags: Record<string, string | undefined>, command: Command) =>
      withApi(command, async (api) => {
        const { from, to, comment, author: createdBy } = flags
        const body = { schedule, people, from, to, comment, createdBy }
        console.log(((await api.own('POST', '/on-call/overrides', body)) as OverrideJson).id)
      }),
    )
  withServerOptions(override.command('list', { isDefault: true }))
    .description('print the overrides that were made over the API')
    .action((_flags: unknown, command: Command) =>
      withApi(command, async (api, output) => {
        const overrides = (await api.own('GET', '/on-call/overrides')) as OverrideJson[]
        if (output === 'json') return console.log(JSON.stringify(overrides))
        printTable(
          ['Id', 'Schedule', 'On call', 'From', 'To', 'By', 'Comment'],
          overrides.map((one) => [
            one.id,
            one.schedule,
            names(one.people),
            one.from,
            one.to,
            one.createdBy,
            one.comment,
          ]),
        )
      }),
    )
  withServerOptions(override.command('remove'))
    .description('end overrides')
    .argument('<ids...>')
    .action((ids: string[], _flags: unknown, command: Command) =>
      withApi(command, async (api) => {
        if (ids.length === 0) throw new CommandError('no id given')
        for (const id of ids) await api.own('DELETE', `/on-call/overrides/${encodeURIComponent(id)}`)
      }),
    )
}

const names = (people: readonly string[]): string => (people.length === 0 ? '(nobody)' : people.join(', '))
