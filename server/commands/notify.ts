/** `belltower notify test --receiver=NAME`: a marked message through the real integrations. */
import type { Command } from 'commander'
import type { TestOutcome } from '../../alertmanager/index.ts'
import { withApi, withServerOptions } from './alert-client.ts'

export function registerNotifyCommand(program: Command): void {
  const notify = program.command('notify').description('try receivers of a running server')
  withServerOptions(notify.command('test'))
    .description('send a marked test message and print what the other side answered')
    .requiredOption('--receiver <name>', 'a receiver that a route leads to')
    .action((flags: { receiver: string }, command: Command) =>
      withApi(command, async (api, output) => {
        const path = `/receivers/${encodeURIComponent(flags.receiver)}/test`
        const outcomes = (await api.own('POST', path)) as TestOutcome[]
        if (output === 'json') console.log(JSON.stringify(outcomes))
        else for (const outcome of outcomes) print(outcome)
        if (outcomes.some(({ delivered }) => !delivered)) process.exitCode = 1
      }),
    )
}

function print({ integration, index, delivered, detail, error }: TestOutcome): void {
  console.log(
    `${integration}[${index}] ${delivered ? 'delivered' : 'FAILED'}: ${[detail, error].filter(Boolean).join('; ')}`,
  )
}
