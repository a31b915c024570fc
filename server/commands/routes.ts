/** `belltower routes …`: the routing tree of a running server, where labels lead, and why an alert (does not) notify. */
import type { Command } from 'commander'
import type { RouteView } from '../../alertmanager/index.ts'
import { pairsOf, queryText, withApi, withServerOptions } from './alert-client.ts'

export function registerRoutesCommand(program: Command): void {
  const routes = program.command('routes').description('the routing tree of a running server')
  withServerOptions(routes.command('show', { isDefault: true }))
    .description('print the tree')
    .action((_flags: unknown, command: Command) =>
      withApi(command, async (api, output) => {
        const tree = (await api.own('GET', '/routes')) as RouteView
        if (output === 'json') console.log(JSON.stringify(tree))
        else printTree(tree)
      }),
    )
  withServerOptions(routes.command('test'))
    .description('print the receivers that an alert with these labels reaches')
    .argument('<labels...>', 'name=value')
    .option('--verify.receivers <names>', 'receivers with commas between them; exit 1 if it is others')
    .action((labels: string[], flags: Record<string, string | undefined>, command: Command) =>
      withApi(command, async (api) => {
        const found = (await api.own('GET', `/routes/test${labelQuery(labels)}`)) as { receiver: string }[]
        const receivers = found.map(({ receiver }) => receiver).join(',')
        console.log(receivers)
        const wanted = flags['verify.receivers']
        if (wanted === undefined || wanted === receivers) return
        console.error(`WARNING: Expected receivers did not match resolved receivers.`)
        process.exitCode = 1
      }),
    )
  withServerOptions(routes.command('explain'))
    .description('why an alert with these labels does, or does not, notify')
    .argument('<labels...>', 'name=value')
    .action((labels: string[], _flags: unknown, command: Command) =>
      withApi(command, async (api, output) => {
        const answer = (await api.own('GET', `/explain${labelQuery(labels)}`)) as ExplanationJson
        if (output === 'json') return console.log(JSON.stringify(answer))
        console.log(`state: ${answer.state}`)
        for (const { receiver, routePath, groupKey, verdict } of answer.destinations) {
          console.log(`\n${receiver}\n  route: ${routePath.join(' > ')}\n  group: ${groupKey}\n  ${verdict}`)
        }
      }),
    )
}

interface ExplanationJson {
  readonly state: string
  readonly destinations: readonly {
    readonly receiver: string
    readonly routePath: readonly string[]
    readonly groupKey: string
    readonly verdict: string
  }[]
}

const labelQuery = (labels: readonly string[]): string =>
  queryText(Object.entries(pairsOf(labels)).map(([name, value]) => ['label', `${name}=${value}`] as const))

function printTree(root: RouteView): void {
  console.log('Routing tree:\n.')
  const print = (route: RouteView, indent: string, isLast: boolean): void => {
    const matchers = route.matchers === '{}' ? 'default-route' : route.matchers
    const more = route.continue ? '  continue: true' : ''
    console.log(`${indent}${isLast ? '└──' : '├──'} ${matchers}${more}  receiver: ${route.receiver}`)
    route.routes.forEach((child, i) =>
      print(child, `${indent}${isLast ? '    ' : '│   '}`, i === route.routes.length - 1),
    )
  }
  print(root, '', true)
}
