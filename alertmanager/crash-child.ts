// A process for the crash test to kill: an Alertmanager on the folder argv[2] with the configuration argv[3]. It reads lines
// from standard input: `push NAME`, `resolve NAME` or `silence NAME`, and prints `done` when that is durable; `pause MS` gives
// the answer of a receiver that has heard something the time to be written down.
import { createInterface } from 'node:readline'
import { systemClock } from '../lib/index.ts'
import { silentLogger } from '../lib/log.ts'
import { Registry } from '../lib/metrics.ts'
import { createHttpClient } from '../lib/undici-client.ts'
import { createMatcher, labelsFromRecord } from '../model/index.ts'
import { createAlertmanager, parseAlertmanagerConfig } from './index.ts'

const [, , dataDir, config] = process.argv as [string, string, string, string]
const alertmanager = await createAlertmanager({
  config: parseAlertmanagerConfig('alertmanager.yml', config),
  dataDir,
  clock: systemClock,
  logger: silentLogger,
  registry: new Registry(),
  externalUrl: 'http://127.0.0.1:9090/alertmanager',
  httpClientFactory: (http) => createHttpClient(http),
})

async function run(line: string): Promise<void> {
  const [command, name = ''] = line.split(' ')
  const nowMs = Date.now()
  if (command === 'pause') {
    await new Promise((resolve) => setTimeout(resolve, Number(name)))
  } else if (command === 'silence') {
    const matchers = [createMatcher('=', 'alertname', name)]
    await alertmanager.setSilence({
      matchers,
      startsAtMs: nowMs,
      endsAtMs: nowMs + 3_600_000,
      createdBy: '',
      comment: '',
      annotations: {},
    })
  } else {
    const ended = command === 'resolve'
    const labels = labelsFromRecord({ alertname: name })
    await alertmanager.receive([
      {
        labels,
        annotations: [],
        generatorUrl: '',
        endsAtMs: ended ? nowMs : nowMs + 600_000,
        startsAtMs: nowMs - 1000,
      },
    ])
  }
}

process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  await run(line)
  process.stdout.write('done\n')
}
