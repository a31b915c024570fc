import type { FastifyInstance } from 'fastify'
import { AppError } from '../../lib/index.ts'
import { labelsFromRecord, labelsToRecord } from '../../model/index.ts'
import { compileRelabel, type RelabelConfig, type ScrapeConfig } from '../../scraper/index.ts'
import { sendSuccess } from './envelope.ts'
import { BadRequestError, paramsOf } from './params.ts'

/** There is no scrape pool of this name. */
export class ScrapePoolNotFoundError extends AppError {
  override readonly code = 'ERR_SCRAPE_POOL_NOT_FOUND'
  override readonly httpStatus = 404
}

export interface PoolConfigs {
  scrapePoolConfig(name: string): ScrapeConfig | undefined
}

/** `/targets/relabel_steps`, relative to `/api/v1`: what each rule of a pool makes of a target's labels. */
export function registerRelabelSteps(app: FastifyInstance, pools: PoolConfigs): void {
  app.get('/targets/relabel_steps', (request, reply) => {
    const params = paramsOf(request)
    const pool = params.get('scrapePool') ?? ''
    if (pool === '') throw new BadRequestError('no scrapePool parameter provided')
    const config = pools.scrapePoolConfig(pool)
    if (config === undefined) throw new ScrapePoolNotFoundError(`scrape pool ${JSON.stringify(pool)} not found`)
    return sendSuccess(reply, { steps: relabelSteps(config.relabelConfigs ?? [], labelsParam(params)) })
  })
}

/** Later rules are not shown once one has dropped the target. */
function relabelSteps(rules: readonly RelabelConfig[], start: Readonly<Record<string, string>>) {
  const steps: { rule: object; output: Record<string, string>; keep: boolean }[] = []
  let labels = labelsFromRecord(start)
  for (const rule of rules) {
    const output = compileRelabel([rule])(labels)
    steps.push({ rule: ruleJson(rule), output: labelsToRecord(output ?? labels), keep: output !== undefined })
    if (output === undefined) break
    labels = output
  }
  return steps
}

const ruleJson = (rule: RelabelConfig): object => ({
  ...(rule.sourceLabels && { source_labels: rule.sourceLabels }),
  separator: rule.separator ?? ';',
  regex: rule.regex ?? '(.*)',
  ...(rule.modulus !== undefined && { modulus: rule.modulus }),
  ...(rule.targetLabel !== undefined && { target_label: rule.targetLabel }),
  replacement: rule.replacement ?? '$1',
  action: rule.action ?? 'replace',
})

function labelsParam(params: URLSearchParams): Record<string, string> {
  const text = params.get('labels') ?? ''
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new BadRequestError(`invalid parameter "labels": ${(cause as Error).message}`, { cause })
  }
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isRecord || Object.values(value as object).some((item) => typeof item !== 'string')) {
    throw new BadRequestError('invalid parameter "labels": not a JSON object of strings')
  }
  return value as Record<string, string>
}
