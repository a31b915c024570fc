/** What the mailbox shows of an e-mail. */
export interface MailMessage {
  readonly from: string
  readonly to: string
  readonly subject: string
  /** '' where the mail has no such part. */
  readonly text: string
  readonly html: string
}

/** Reads the mails an alerting system sends: headers, one level or more of parts, quoted-printable or base64. */
export function readMail(raw: string): MailMessage {
  const { headers, body } = splitEntity(raw)
  const parts = leafParts(headers, body)
  const partOf = (type: string): string => parts.find((part) => part.type === type)?.content ?? ''
  return {
    from: decodeWords(headers.get('from') ?? ''),
    to: decodeWords(headers.get('to') ?? ''),
    subject: decodeWords(headers.get('subject') ?? ''),
    text: partOf('text/plain'),
    html: partOf('text/html'),
  }
}

interface Part {
  readonly type: string
  readonly content: string
}

function leafParts(headers: ReadonlyMap<string, string>, body: string): Part[] {
  const contentType = headers.get('content-type') ?? 'text/plain'
  const type = contentType.split(';')[0]!.trim().toLowerCase()
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1]
  if (!type.startsWith('multipart/') || boundary === undefined)
    return [{ type, content: decodeBody(body, headers.get('content-transfer-encoding') ?? '') }]
  // Before the first boundary stands a preamble, behind the last one `--`.
  const sections = `\r\n${body}`.split(`\r\n--${boundary}`).slice(1)
  return sections
    .filter((section) => !section.startsWith('--'))
    .flatMap((section) => {
      const entity = splitEntity(section.replace(/^[ \t]*\r\n/, ''))
      return leafParts(entity.headers, entity.body)
    })
}

function splitEntity(raw: string): { headers: Map<string, string>; body: string } {
  const text = raw.replaceAll(/\r?\n/g, '\r\n')
  const end = text.startsWith('\r\n') ? 0 : text.indexOf('\r\n\r\n')
  const head = end < 0 ? text : text.slice(0, end)
  const headers = new Map<string, string>()
  // A line that begins with a blank goes on with the one before.
  for (const line of head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
  }
  return { headers, body: end < 0 ? '' : text.slice(end).replace(/^(?:\r\n){1,2}/, '') }
}

function decodeBody(body: string, encoding: string): string {
  if (/base64/i.test(encoding)) return Buffer.from(body, 'base64').toString('utf8')
  return /quoted-printable/i.test(encoding) ? decodeQuoted(body.replaceAll(/=\r\n/g, '')) : body
}

function decodeQuoted(text: string): string {
  const bytes = text.replaceAll(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

/** `=?UTF-8?Q?=F0=9F=94=A5?=` and its base64 sibling; blanks between two of them do not count. */
function decodeWords(text: string): string {
  return text
    .replaceAll(/\?=\s+=\?/g, '?==?')
    .replaceAll(/=\?[^?]+\?([QqBb])\?([^?]*)\?=/g, (_, kind: string, word: string) =>
      kind.toLowerCase() === 'b'
        ? Buffer.from(word, 'base64').toString('utf8')
        : decodeQuoted(word.replaceAll('_', ' ')),
    )
}
