import { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { addFlags, parseListenAddress, parseSize, readFlags, SERVER_FLAGS } from './flags.ts'

function parse(...args: string[]) {
  const command = addFlags(new Command().exitOverride().configureOutput({ writeErr: () => {} }), SERVER_FLAGS)
  command.parse(args, { from: 'user' })
  return readFlags(command, SERVER_FLAGS)
}

describe('flags', () => {
  test('defaults are filled in, both forms of a value are read', () => {
    const { values } = parse('--storage.tsdb.path=/tmp/x', '--query.timeout', '30s')
    expect(values.get('storage.tsdb.path')).toBe('/tmp/x')
    expect(values.get('query.timeout')).toBe('30s')
    expect(values.get('web.listen-address')).toBe('127.0.0.1:9090')
    expect(values.get('web.enable-lifecycle')).toBe('false')
  })

  test('switches can be set, unset, and come from the environment', () => {
    expect(parse('--web.enable-lifecycle').values.get('web.enable-lifecycle')).toBe('true')
    expect(parse('--no-web.enable-lifecycle').values.get('web.enable-lifecycle')).toBe('false')
    process.env.BELLTOWER_WEB_ENABLE_LIFECYCLE = 'true'
    process.env.BELLTOWER_WEB_LISTEN_ADDRESS = '127.0.0.1:1'
    try {
      expect(parse().values.get('web.enable-lifecycle')).toBe('true')
      expect(parse().values.get('web.listen-address')).toBe('127.0.0.1:1')
      expect(parse('--web.listen-address=127.0.0.1:2').values.get('web.listen-address')).toBe('127.0.0.1:2')
    } finally {
      delete process.env.BELLTOWER_WEB_ENABLE_LIFECYCLE
      delete process.env.BELLTOWER_WEB_LISTEN_ADDRESS
    }
  })

  test("Prometheus' flags without a meaning warn, unknown ones fail with the nearest name", () => {
    const { warnings } = parse('--storage.tsdb.wal-compression', '--web.max-connections=5')
    expect(warnings).toHaveLength(2)
    expect(() => parse('--web.listen-adress=x')).toThrow(/--web.listen-address/)
    expect(() => parse('--query.timeout=5x')).toThrow(/not a valid duration/)
  })

  test('sizes and addresses', () => {
    expect(parseSize('512MB')).toBe(512 * 1024 * 1024)
    expect(() => parseSize('512')).toThrow(/unit/)
    expect(parseListenAddress(':9093')).toEqual({ host: '0.0.0.0', port: 9093 })
    expect(parseListenAddress('[::1]:80')).toEqual({ host: '::1', port: 80 })
    expect(() => parseListenAddress('nonsense')).toThrow(/listen address/)
  })
})
