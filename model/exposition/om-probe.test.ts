import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'vitest'
import { parseExposition } from './index.ts'
test('probe', () => {
  const dir = '../shared/yardsticks/openmetrics'
  const out: string[] = []
  for (const name of readdirSync(dir)) {
    const { shouldParse } = JSON.parse(readFileSync(`${dir}/${name}/test.json`, 'utf8'))
    const body = readFileSync(`${dir}/${name}/metrics`)
    let ok = true, why = ''
    try { parseExposition(body, 'openmetrics', {}) } catch (e) { ok = false; why = (e as Error).message }
    if (ok !== shouldParse) out.push(`${name} want=${shouldParse} ${why} :: ${JSON.stringify(body.toString().slice(0, 150))}`)
  }
  console.log(out.length + '\n' + out.join('\n'))
})
