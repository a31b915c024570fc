import { expect, test } from 'vitest'
import { parseHtml, parseMarkdown, type RichNode, safeHref } from './rich-text.ts'

const print = (nodes: readonly RichNode[]): string =>
  nodes
    .map((node) =>
      typeof node === 'string'
        ? node
        : `<${node.tag}${Object.entries(node.attributes)
            .map(([name, value]) => ` ${name}=${value}`)
            .join('')}>${print(node.children)}</${node.tag}>`,
    )
    .join('')

test.each([
  ['# Title #', '<h1>Title</h1>'],
  ['a **b** *c* `d*` ~~e~~', '<p>a <strong>b</strong> <em>c</em> <code>d*</code> <del>e</del></p>'],
  ['[x](https://e.org) [y](javascript:alert(1))', '<p><a href=https://e.org>x</a> y)</p>'],
  ['- a\n- b\n  - c', '<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>'],
  ['1. a\n2. b', '<ol><li>a</li><li>b</li></ol>'],
  [
    '| a | b |\n|---|---|\n| 1 | 2 |',
    '<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>',
  ],
  ['```\n<b>\n```', '<pre><code><b></code></pre>'],
  ['> q', '<blockquote><p>q</p></blockquote>'],
  ['text <script>alert(1)</script> end', '<p>text  end</p>'],
])('markdown %j', (text, want) => expect(print(parseMarkdown(text))).toBe(want))

test.each([
  ['<img src=x onerror=alert(1)>', ''],
  ['<a href="java\tscript:alert(1)" onclick="x">a</a>', '<a>a</a>'],
  ['<svg><script>1</script></svg>b', 'b'],
  ['<iframe src="//e"></iframe>c', 'c'],
  ['<b style="position:fixed">d</b>', '<b>d</b>'],
  ['<div><p>e</div>f', '<div><p>e</p></div>f'],
  ['<img src="data:image/png;base64,aGk=" alt="g">', '<img src=data:image/png;base64,aGk= alt=g></img>'],
  ['&lt;h&gt; &amp; &#x41;&#0;', '<h> & A'],
  ['<!-- <b>no</b> -->i', 'i'],
  ['<<b>j', '<<b>j</b>'],
])('html %j', (text, want) => expect(print(parseHtml(text))).toBe(want))

test.each(['javascript:1', ' JAVASCRIPT:1', 'java\u0000script:1', 'data:text/html,x', 'vbscript:1'])(
  '%j leads nowhere',
  (href) => expect(safeHref(href)).toBeUndefined(),
)

test('deep and long input ends', () => expect(print(parseHtml('<div>'.repeat(20_000))).length).toBeGreaterThan(0))
