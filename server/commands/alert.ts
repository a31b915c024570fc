/** `belltower alert …`: what amtool's `alert` does. */
import type { Command } from 'commander'
import { matcherTexts, pairsOf, printTable, queryText, withApi, withServerOptions } from './alert-client.ts'

interface Alert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAt: string
  readonly endsAt: string
  readonly generatorURL?: string
  readonly status: { readonly state: string }
}

interface QueryFlags {
  readonly active?: boolean
  readonly silenced?: boolean
  readonly inhibited?: boolean
  readonly receiver?: string
}

interface AddFlags {
  readonly annotation: readonly string[]
  readonly generatorUrl?: string
  readonly start?: string
  readonly end?: string
}

export function registerAlertCommand(program: Command): void {
  const alert = program.command('alert').description('show alerts of a running server, or send one')
  withServerOptions(alert.command('query', { isDefault: true }))
    .description('alerts that are not over')
    .argument('[matchers...]', 'such as severity=page; a word alone is the alert name')
    .option('-a, --active', 'active ones too')
    .option('-s, --silenced', 'silenced ones too')
    .option('-i, --inhibited', 'inhibited ones too')
    .option('-r, --receiver <name>', 'only those that this receiver gets (regular expression)')
    .action((matchers: string[], flags: QueryFlags, command: Command) =>
      withApi(command, async (api, output) => {
        const alerts = (await api.v2('GET', `/alerts${wanted(matchers, flags)}`)) as Alert[]
        if (output === 'json') console.log(JSON.stringify(alerts))
        else printAlerts(alerts, output === 'extended')
      }),
    )
  withServerOptions(alert.command('add'))
    .description('send an alert')
    .argument('<labels...>', 'name=value; a word alone is the alert name')
    .option('--annotation <name=value>', 'repeatable', (value: string, before: string[]) => [...before, value], [])
    .option('--generator-url <url>', 'where it comes from')
    .option('--start <time>', 'RFC 3339')
    .option('--end <time>', 'RFC 3339')
    .action((labels: string[], flags: AddFlags, command: Command) =>
      withApi(command, async (api) => {
        const [first = '', ...others] = labels
        const named = first.includes('=') ? labels : [`alertname=${first}`, ...others]
        await api.v2('POST', '/alerts', [
          {
            labels: pairsOf(named),
            annotations: pairsOf(flags.annotation),
            ...(flags.generatorUrl && { generatorURL: flags.generatorUrl }),
            ...(flags.start && { startsAt: flags.start }),
            ...(flags.end && { endsAt: flags.end }),
          },
        ])
      }),
    )
}

/** Without a flag only active alerts are meant; with any, what the flags name. */
function wanted(matchers: readonly string[], flags: QueryFlags): string {
  const { silenced = false, inhibited = false, receiver } = flags
  const active = flags.active ?? (!silenced && !inhibited)
  return queryText([
    ...matcherTexts(matchers).map((matcher) => ['filter', matcher] as const),
    ['active', String(active)],
    ['silenced', String(silenced)],
    ['inhibited', String(inhibited)],
    ...(receiver === undefined ? [] : [['receiver', receiver] as const]),
  ])
}

function printAlerts(alerts: readonly Alert[], extended: boolean): void {
  const sorted = [...alerts].sort((a, b) => (a.startsAt < b.startsAt ? -1 : 1))
  const time = (text: string): string => text.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')
  if (!extended) {
    const rows = sorted.map(({ labels, annotations, startsAt, status }) => [
      labels['alertname'] ?? '',
      time(startsAt),
      annotations['summary'] ?? '',
      status.state,
    ])
    return printTable(['Alertname', 'Starts At', 'Summary', 'State'], rows)
  }
  const rows = sorted.map(({ labels, annotations, startsAt, endsAt, generatorURL = '', status }) => [
    pairsText(labels),
    pairsText(annotations),
    time(startsAt),
    time(endsAt),
    generatorURL,
    status.state,
  ])
  printTable(['Labels', 'Annotations', 'Starts At', 'Ends At', 'Generator URL', 'State'], rows)
}

const pairsText = (pairs: Readonly<Record<string, string>>): string =>
  Object.entries(pairs)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(' ')
