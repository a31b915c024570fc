import type { Acknowledgement } from '../ack/acknowledgements.ts'
import { timeText } from './alert-input.ts'

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem;color:#111827;background:#fff}' +
  'code{overflow-wrap:anywhere}label{display:block;margin:1rem 0 .25rem}' +
  'input{font:inherit;width:100%;box-sizing:border-box;padding:.5rem;border:1px solid #6b7280;border-radius:6px}' +
  'button{font:inherit;margin-top:1.5rem;padding:.6rem 1.2rem;border:0;border-radius:6px;background:#1d4ed8;color:#fff}'

/** The group and a button; without scripts, so that it works on any phone. */
export function ackPage(groupKey: string, values: URLSearchParams, known: Acknowledgement | undefined): string {
  const state = known
    ? `<p>${escaped(known.by)} has acknowledged it since ${timeText(known.atMs)}.</p>`
    : '<p>Nobody has acknowledged it yet. Once somebody has, it is not repeated until it has resolved.</p>'
  const hidden = ['group', 'proof']
    .map((name) => `<input type="hidden" name="${name}" value="${escaped(values.get(name) ?? '')}">`)
    .join('')
  return page(
    'Acknowledge',
    `<p><code>${escaped(groupKey)}</code></p>${state}<form method="post" action="ack">${hidden}` +
      '<label for="by">Your name</label><input id="by" name="by" autocomplete="name">' +
      '<label for="comment">Comment</label><input id="comment" name="comment">' +
      '<button type="submit">Acknowledge</button></form>',
  )
}

export const donePage = (groupKey: string, by: string): string =>
  page('Acknowledged', `<p><code>${escaped(groupKey)}</code></p><p>Acknowledged by ${escaped(by)}.</p>`)

const page = (title: string, body: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
  `<title>${title}</title><style>${STYLE}</style></head><body><main><h1>${title}</h1>${body}</main></body></html>`

const escaped = (text: string): string => text.replace(/[<>&"']/g, (char) => `&#${char.charCodeAt(0)};`)
