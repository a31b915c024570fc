import { expect, test } from 'vitest'
import { withoutUrlPassword } from './url-password.ts'

test.each([
  ['http://user:secret@host:1/path', 'http://user:xxxxx@host:1/path'],
  ['http://user:se@cret@host/', 'http://user:xxxxx@host/'],
  ['socks5://:secret@host', 'socks5://:xxxxx@host'],
  ['https://host/w?a:b@c', 'https://host/w?a:b@c'],
  ['http://user@host', 'http://user@host'],
  ['no URL: a@b', 'no URL: a@b'],
])('%s', (text, shown) => expect(withoutUrlPassword(text)).toBe(shown))
