import { readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { createAlertmanager, parseAlertmanagerConfig, withOnCall } from '../alertmanager/index.ts'
import { errorMessage, systemClock } from '../lib/index.ts'
import { silentLogger } from '../lib/log.ts'
import { Registry } from '../lib/metrics.ts'
import { createHttpClient } from '../lib/undici-client.ts'
import { ConfigError } from '../lib/yaml-config.ts'
import { duplicateRuleText, findDuplicateRules, parseRuleFile } from '../rules/index.ts'
import { loadConfig } from './config/load.ts'
import { loadWebConfig } from './web/web-config.ts'

/** Returns what was found, for the line that says the file is fine. */
type Check = (path: string, flags: CheckFlags) => Promise<string> | string
interface CheckFlags {
  /** As for an agent, which has no rules and no alerts. */
  readonly agent?: boolean
}
/** What works but is most likely not meant. */
type Lint = (path: string) => readonly string[]

const LINTS = ['all', 'duplicate-rules', 'none']
/** As promtool's, so that scripts tell it from a file that does not load. */
const LINT_EXIT_CODE = 3

const CHECKS: Readonly<Record<string, { readonly help: string; readonly check: Check; readonly lint?: Lint }>> = {
  config: {
    help: 'a Prometheus configuration with the rule files and the Alertmanager configuration it names',
    async check(path, { agent = false }) {
      const config = await loadConfig({ path, alertmanagerPath: '', env: process.env, agentMode: agent })
      const { alertmanager, onCall } = config
      const own = alertmanager && parseAlertmanagerConfig(alertmanager.fileName, alertmanager.text)
      if (onCall) withOnCall(own, onCall)
      return `${config.scrapeConfigs.length} scrape jobs, ${config.ruleGroups.length} rule groups`
    },
  },
  rules: {
    help: 'rule files',
    check(path) {
      const groups = parseRuleFile(path, readText(path))
      return `${groups.reduce((sum, group) => sum + group.rules.length, 0)} rules in ${groups.length} groups`
    },
    lint: (path) => findDuplicateRules(parseRuleFile(path, readText(path))).map(duplicateRuleText),
  },
  'web-config': {
    help: 'TLS, users and headers of our ports',
    check(path) {
      const { tls, users } = loadWebConfig(path)
      return `${tls === undefined ? 'plain HTTP' : 'TLS'}, ${users.size} users`
    },
  },
  alertmanager: {
    help: 'an Alertmanager configuration',
    async check(path) {
      // Builds every receiver and tries every template.
      const alertmanager = await createAlertmanager({
        config: parseAlertmanagerConfig(path, readText(path)),
        dataDir: undefined,
        clock: systemClock,
        logger: silentLogger,
        registry: new Registry(),
        externalUrl: 'http://127.0.0.1:9093',
        httpClientFactory: (http) => createHttpClient(http),
      })
      await alertmanager.stop()
      return 'every receiver can be built'
    },
  },
}

/** `belltower check config|rules|alertmanager FILE…`: every fault on a line of its own, exit code 1 on any. */
export function registerCheckCommand(program: Command): void {
  const check = program
    .command('check')
    .description('validate files; every fault is printed as file:line:column: path: why')
  for (const [name, { help, check: run, lint }] of Object.entries(CHECKS)) {
    const command = check.command(name).description(help).argument('<file...>')
    if (name === 'config') command.option('--agent', 'check it as the configuration of an agent')
    if (lint !== undefined) {
      command.addOption(new Option('--lint <checks>', 'what to warn of').choices(LINTS).default('duplicate-rules'))
      command.option('--lint-fatal', `exit with ${LINT_EXIT_CODE} on a warning`)
    }
    command.action(async (paths: string[], flags: CheckFlags & { lint?: string; lintFatal?: boolean }) => {
      for (const path of paths) {
        const isFine = await report(path, run, flags)
        if (isFine && lint !== undefined && flags.lint !== 'none')
          reportLint(path, lint(path), flags.lintFatal === true)
      }
    })
  }
}

function reportLint(path: string, warnings: readonly string[], isFatal: boolean): void {
  for (const warning of warnings) console.error(`${path}: lint: ${warning}`)
  if (isFatal && warnings.length > 0) process.exitCode ||= LINT_EXIT_CODE
}

/** @returns whether nothing is wrong */
async function report(path: string, check: Check, flags: CheckFlags): Promise<boolean> {
  try {
    console.log(`${path}: ok: ${await check(path, flags)}`)
    return true
  } catch (error) {
    process.exitCode = 1
    const faults = error instanceof ConfigError ? error.faults : [`${path}:1:1: ${errorMessage(error)}`]
    for (const fault of faults) console.error(fault)
    return false
  }
}

function readText(path: string): string {
  return readFileSync(path, 'utf8')
}
