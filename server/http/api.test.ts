// The parts of the API that can be had without a store: parameters, rules, label names in paths.
import Fastify, { type FastifyRequest } from 'fastify'
import { afterAll, describe, expect, test } from 'vitest'
import { labelsFromRecord } from '../../model/index.ts'
import type { RuleGroupState } from '../../rules/index.ts'
import { unescapeLabelName } from './api-metadata.ts'
import { registerRulesApi } from './api-rules.ts'
import { sendFailure } from './envelope.ts'
import { durationParam, limitParam, lookbackParam, optionalTimeParam, paramsOf, timeParam } from './params.ts'

const params = (text: string): URLSearchParams => new URLSearchParams(text)

describe('parameters', () => {
  test('times are float seconds or RFC 3339', () => {
    expect(timeParam(params('start=1.0015'), 'start')).toBe(1002)
    // A half that is none: the seconds leave the fraction less digits.
    expect(timeParam(params('start=1795298580.0005'), 'start')).toBe(1795298580000)
    for (const text of ['2026-02-30T00:00:00Z', '2026-01-02T24:00:00Z', '2026-13-01T00:00:00Z']) {
      expect(() => timeParam(params(`start=${text}`), 'start')).toThrow('to a valid timestamp')
    }
    expect(timeParam(params('start=2026-01-02T03:04:05.678Z'), 'start')).toBe(Date.UTC(2026, 0, 2, 3, 4, 5, 678))
    expect(timeParam(params('start=2026-01-02T03:04:05%2B01:00'), 'start')).toBe(Date.UTC(2026, 0, 2, 2, 4, 5))
    expect(optionalTimeParam(params(''), 'time', 7)).toBe(7)
    expect(() => timeParam(params('start=abc'), 'start')).toThrow(
      'invalid parameter "start": cannot parse "abc" to a valid timestamp',
    )
    expect(() => optionalTimeParam(params('time=abc'), 'time', 0)).toThrow(
      `invalid parameter "time": invalid time value for 'time': cannot parse "abc" to a valid timestamp`,
    )
  })

  test('durations and limits', () => {
    expect(durationParam(params('step=15'), 'step')).toBe(15_000)
    expect(durationParam(params('step=1m30s'), 'step')).toBe(90_000)
    expect(durationParam(params(''), 'step')).toBeUndefined()
    expect(() => durationParam(params('step=1ns'), 'step')).toThrow('cannot parse "1ns" to a valid duration')
    expect(limitParam(params('limit=5'))).toBe(5)
    expect(() => limitParam(params('limit=-1'))).toThrow('limit must be non-negative')
    expect(() => limitParam(params(`limit=${'9'.repeat(20)}`))).toThrow('value out of range')
    expect(lookbackParam(params('lookback_delta=1m'))).toBe(60_000)
    for (const none of ['', '0', '-5']) {
      expect(lookbackParam(params(`lookback_delta=${none}`))).toBeUndefined()
    }
    expect(() => lookbackParam(params('lookback_delta=abc'))).toThrow(
      'error parsing lookback delta duration: cannot parse "abc" to a valid duration',
    )
  })

  test('a form body comes before the URL, as in Go', () => {
    const request = {
      query: params('query=b&match[]=y'),
      body: params('query=a&match[]=x'),
    } as unknown as FastifyRequest
    expect(paramsOf(request).get('query')).toBe('a')
    expect(paramsOf(request).getAll('match[]')).toEqual(['x', 'y'])
  })

  test('label names in paths', () => {
    expect(unescapeLabelName('job')).toBe('job')
    expect(unescapeLabelName('U__my_2e_label__x')).toBe('my.label_x')
  })
})

describe('/rules and /alerts', () => {
  const alert = {
    labels: labelsFromRecord({ alertname: 'Down', job: 'a' }),
    annotations: labelsFromRecord({ summary: 'down' }),
    state: 'firing' as const,
    activeAtMs: 1000,
    keepFiringSinceMs: undefined,
    value: 0,
  }
  const common = { health: 'ok' as const, lastError: '', evaluationSeconds: 0.001, lastEvaluationMs: 5000 }
  const group = (name: string): RuleGroupState => ({
    file: 'f.yml',
    name,
    intervalMs: 15_000,
    queryOffsetMs: 0,
    limit: 0,
    evaluationSeconds: 0.002,
    lastEvaluationMs: 5000,
    rules: [
      {
        ...common,
        kind: 'recording',
        config: { kind: 'recording', name: 'a:b', expr: 'sum(b)', labels: { team: 'x' } },
      },
      {
        ...common,
        kind: 'alerting',
        state: 'firing',
        alerts: [alert],
        config: {
          kind: 'alerting',
          name: 'Down',
          expr: 'up == 0',
          labels: { severity: 'page' },
          annotations: { summary: 'down' },
          forMs: 60_000,
          keepFiringForMs: 0,
        },
      },
    ],
  })
  const app = Fastify({
    routerOptions: { querystringParser: (text) => new URLSearchParams(text) as unknown as Record<string, unknown> },
  })
  app.setErrorHandler((error, _request, reply) => void sendFailure(reply, error))
  registerRulesApi(app, { groups: () => [group('one'), group('two')], alerts: () => [alert] })
  afterAll(() => app.close())

  const get = async (url: string) => JSON.parse((await app.inject(url)).body)

  test('the forms are those of Prometheus', async () => {
    const { data } = await get('/rules')
    expect(data.groups).toHaveLength(2)
    expect(data.groups[0]).toMatchObject({
      name: 'one',
      file: 'f.yml',
      interval: 15,
      lastEvaluation: '1970-01-01T00:00:05.000Z',
    })
    expect(data.groups[0].rules[0]).toMatchObject({ type: 'recording', name: 'a:b', query: 'sum(b)', health: 'ok' })
    expect(data.groups[0].rules[1]).toMatchObject({
      type: 'alerting',
      state: 'firing',
      duration: 60,
      keepFiringFor: 0,
      alerts: [{ labels: { alertname: 'Down', job: 'a' }, value: '0e+00', activeAt: '1970-01-01T00:00:01.000Z' }],
    })
    expect((await get('/alerts')).data.alerts).toHaveLength(1)
  })

  test.each([
    ['/rules?type=alert', ['Down', 'Down']],
    ['/rules?type=record&rule_group[]=two', ['a:b']],
    ['/rules?rule_name[]=a:b&rule_name[]=nope', ['a:b', 'a:b']],
    ['/rules?match[]={severity="page"}&rule_group[]=one', ['Down']],
    ['/rules?file[]=other.yml', []],
  ])('%s', async (url, names) => {
    const { data } = await get(url)
    expect(data.groups.flatMap((g: { rules: { name: string }[] }) => g.rules.map((rule) => rule.name))).toEqual(names)
  })

  test('groups come in pages', async () => {
    const first = await get('/rules?group_limit=1')
    expect(first.data.groups.map((g: { name: string }) => g.name)).toEqual(['one'])
    const second = await get(`/rules?group_limit=1&group_next_token=${first.data.groupNextToken}`)
    expect(second.data.groups.map((g: { name: string }) => g.name)).toEqual(['two'])
    expect(second.data).not.toHaveProperty('groupNextToken')
    expect(await get('/rules?group_limit=1&group_next_token=stale')).toMatchObject({
      status: 'error',
      errorType: 'bad_data',
    })
    for (const [query, error] of [
      ['group_next_token=x', 'invalid parameter "group_next_token": group_limit needs to be present'],
      ['group_limit=0', 'invalid parameter "group_limit": group_limit needs to be greater than 0'],
      ['group_limit=x', 'group_limit needs to be a valid number: strconv.ParseInt: parsing "x": invalid syntax'],
      ['group_limit=1&group_next_token=x', `invalid group_next_token 'x'. were rule groups changed?`],
      ['exclude_alerts=q', 'error converting exclude_alerts: strconv.ParseBool: parsing "q": invalid syntax'],
      ['match[]={}', 'match[] must contain at least one non-empty matcher'],
      ['match[]={', '1:2: parse error: unexpected end of input inside braces'],
    ]) {
      expect((await get(`/rules?${query}`)).error).toContain(error)
    }
    expect(await get('/rules?type=nonsense')).toMatchObject({ status: 'error', errorType: 'bad_data' })
  })
})
