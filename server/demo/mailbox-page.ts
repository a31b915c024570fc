import type { ReceivedMessage } from './mailbox.ts'

const REFRESH_SECONDS = 3

/** Newest first. The mails' own HTML is shown in frames that may neither run scripts nor reach out. */
export function mailboxPage(messages: readonly ReceivedMessage[]): string {
  const list =
    messages.length === 0
      ? '<p class="empty">Nothing yet. The shop runs into errors after a while, and the alert about a minute after the start.</p>'
      : messages.toReversed().map(messageHtml).join('\n')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="${REFRESH_SECONDS}">
<title>Mailbox (${messages.length})</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
  article { border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: 8px; margin: 1rem 0; padding: .75rem 1rem; }
  article.firing { border-left: 5px solid #d33; }
  article.resolved { border-left: 5px solid #2a2; }
  h2 { font-size: 1rem; margin: 0; }
  .facts { opacity: .7; font-size: .85rem; }
  iframe { width: 100%; height: 22rem; border: 0; background: #fff; margin-top: .5rem; }
  pre { white-space: pre-wrap; }
</style>
</head>
<body>
<h1>Mailbox</h1>
<p>E-mails and SMS that Belltower sent, newest first.</p>
<main>
${list}
</main>
</body>
</html>
`
}

function messageHtml({ kind, receivedMs, from, to, subject, text, html }: ReceivedMessage): string {
  const state = /RESOLVED/i.test(subject) ? 'resolved' : /FIRING/i.test(subject) ? 'firing' : ''
  const time = new Date(receivedMs).toISOString().slice(11, 19)
  const frame = `<iframe sandbox title="Content of the e-mail" srcdoc="${escapeHtml(html)}"></iframe>`
  const body =
    html !== ''
      ? `<details><summary>Content</summary>${frame}</details>`
      : kind === 'email'
        ? `<pre>${escapeHtml(text)}</pre>`
        : ''
  return `<article class="${state}" data-kind="${kind}">
<h2>${kind === 'sms' ? 'SMS' : 'E-mail'}: ${escapeHtml(subject)}</h2>
<div class="facts">${time} UTC, from ${escapeHtml(from)} to ${escapeHtml(to)}</div>
${body}
</article>`
}

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
