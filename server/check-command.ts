import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { parseAlertmanagerConfig } from '../alertmanager/index.ts'
import { errorMessage } from '../lib/index.ts'
import { ConfigError } from '../lib/yaml-config.ts'
import { parseRuleFile } from '../rules/index.ts'
import { loadConfig } from './config/load.ts'

/** Returns what was found, for the line that says the file is fine. */
type Check = (path: string) => Promise<string> | string

const CHECKS: Readonly<Record<string, { readonly help: string; readonly check: Check }>> = {
  config: {
    help: 'a Prometheus configuration with the rule files and the Alertmanager configuration it names',
    async check(path) {
      const config = await loadConfig({ path, alertmanagerPath: '', env: process.env })
      if (config.alertmanager) parseAlertmanagerConfig(config.alertmanager.fileName, config.alertmanager.text)
      return `${config.scrapeConfigs.length} scrape jobs, ${config.ruleGroups.length} rule groups`
    },
  },
  rules: {
    help: 'rule files',
    check(path) {
      const groups = parseRuleFile(path, readText(path))
      return `${groups.reduce((sum, group) => sum + group.rules.length, 0)} rules in ${groups.length} groups`
    },
  },
  alertmanager: {
    help: 'an Alertmanager configuration',
    check(path) {
      parseAlertmanagerConfig(path, readText(path))
      return 'every receiver can be built'
    },
  },
}

/** `belltower check config|rules|alertmanager FILE…`: every fault on a line of its own, exit code 1 on any. */
export function registerCheckCommand(program: Command): void {
  const check = program
    .command('check')
    .description('validate files; every fault is printed as file:line:column: path: why')
  for (const [name, { help, check: run }] of Object.entries(CHECKS)) {
    check
      .command(name)
      .description(help)
      .argument('<file...>')
      .action(async (paths: string[]) => {
        for (const path of paths) await report(path, run)
      })
  }
}

async function report(path: string, check: Check): Promise<void> {
  try {
    console.log(`${path}: ok: ${await check(path)}`)
  } catch (error) {
    process.exitCode = 1
    const faults = error instanceof ConfigError ? error.faults : [`${path}:1:1: ${errorMessage(error)}`]
    for (const fault of faults) console.error(fault)
  }
}

function readText(path: string): string {
  return readFileSync(path, 'utf8')
}
