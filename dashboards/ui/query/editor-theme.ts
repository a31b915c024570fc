// The editor in the page's colours. Custom properties and the colour scheme reach into its shadow root.
import { HighlightStyle } from '@codemirror/language'
import { EditorView } from '@codemirror/view'
import { tags } from '@lezer/highlight'

export const tokenColors = HighlightStyle.define([
  { tag: [tags.function(tags.variableName), tags.operatorKeyword], color: 'var(--token-function)' },
  { tag: [tags.modifier, tags.logicOperator], color: 'var(--token-keyword)' },
  { tag: tags.string, color: 'var(--token-string)' },
  { tag: tags.number, color: 'var(--token-number)' },
  { tag: tags.labelName, color: 'var(--token-label)' },
  { tag: tags.comment, color: 'var(--text-3)' },
  { tag: tags.invalid, color: 'var(--crit)' },
])

const POPOVER = {
  border: '1px solid var(--border-strong)',
  borderRadius: 'var(--radius)',
  background: 'var(--surface-1)',
  color: 'var(--text-1)',
  boxShadow: 'var(--shadow)',
}

export const editorTheme = EditorView.theme({
  '&': {
    minHeight: '34px',
    border: '1px solid var(--border-strong)',
    borderRadius: 'var(--radius)',
    background: 'var(--surface-0)',
    color: 'var(--text-1)',
    fontSize: '13px',
  },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '1px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '20px' },
  '.cm-content': { padding: '6px 0', caretColor: 'var(--text-1)' },
  '.cm-line': { padding: '0 10px' },
  '.cm-placeholder': { color: 'var(--text-3)' },
  '.cm-cursor': { borderLeftColor: 'var(--text-1)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    background: 'color-mix(in srgb, var(--link) 30%, transparent)',
  },
  '&.cm-focused .cm-matchingBracket': { background: 'var(--surface-3)', outline: '1px solid var(--border-strong)' },
  '&.cm-focused .cm-nonmatchingBracket': { background: 'var(--crit-soft)' },
  '.cm-tooltip': POPOVER,
  '.cm-tooltip.cm-tooltip-autocomplete > ul': {
    maxWidth: 'min(640px, 90vw)',
    maxHeight: '300px',
    fontFamily: 'var(--mono)',
    fontSize: '12px',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '3px 8px', lineHeight: '1.4' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { background: 'var(--accent-soft)', color: 'var(--text-1)' },
  '.cm-completionMatchedText': { color: 'var(--accent)', fontWeight: '600', textDecoration: 'none' },
  '.cm-completionDetail': { float: 'right', marginLeft: '16px', color: 'var(--text-3)', fontStyle: 'normal' },
  '.cm-tooltip.cm-completionInfo': { ...POPOVER, maxWidth: '340px', padding: '6px 10px', fontFamily: 'var(--font)' },
  '.cm-diagnostic': { padding: '6px 10px', maxWidth: '520px', fontFamily: 'var(--font)', fontSize: '12.5px' },
  '.cm-diagnostic-error': { borderLeft: '3px solid var(--crit)' },
  '.cm-lintRange-error': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--crit) 1px',
    textUnderlineOffset: '4px',
  },
  '.cm-lintPoint-error::after': { borderBottomColor: 'var(--crit)' },
  '.cm-panels': { background: 'var(--surface-2)', color: 'var(--text-1)', borderColor: 'var(--border)' },
})
