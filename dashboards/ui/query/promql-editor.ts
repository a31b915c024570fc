// The expression's editor on CodeMirror: a chunk of its own, loaded when the field is entered. It lives in a shadow root, where
// CodeMirror adopts its style sheets instead of writing style elements: the page's policy needs no exception.
import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  closeCompletion,
  completionKeymap,
  selectedCompletion,
  selectedCompletionIndex,
} from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap, insertNewlineAndIndent } from '@codemirror/commands'
import { bracketMatching, indentOnInput, syntaxHighlighting } from '@codemirror/language'
import { linter, lintKeymap } from '@codemirror/lint'
import { EditorSelection, EditorState, Prec } from '@codemirror/state'
import { drawSelection, EditorView, keymap, placeholder } from '@codemirror/view'
import { PromQLExtension } from '@prometheus-io/codemirror-promql'
import { completionSource } from './completion-source.ts'
import { editorTheme, tokenColors } from './editor-theme.ts'
import { findFaults } from './faults.ts'

const LINT_DELAY_MS = 400

export interface EditorOptions {
  readonly text: string
  /** Selected at the start, as offsets in the text. */
  readonly selection: readonly [from: number, to: number]
  readonly label: string
  readonly hint: string
  readonly onChange: (text: string) => void
  readonly onRun: () => void
}

export interface PromqlEditor {
  setText(text: string): void
  /** Writes over what is selected, or at the cursor. */
  insert(text: string): void
  focus(): void
  destroy(): void
}

/** @param box an empty element that may have no shadow root, or one made by an earlier editor */
export function mountPromqlEditor(box: HTMLElement, options: EditorOptions): PromqlEditor {
  const root = box.shadowRoot ?? box.attachShadow({ mode: 'open' })
  const promql = new PromQLExtension().activateLinter(false).setComplete({ remote: completionSource })
  const [from, to] = options.selection
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: options.text,
      selection: EditorSelection.single(from, to),
      extensions: [
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        autocompletion({ closeOnBlur: true, icons: true }),
        promql.asExtension(),
        syntaxHighlighting(tokenColors),
        linter((shown) => findFaults(shown.state.doc.toString()), { delay: LINT_DELAY_MS }),
        Prec.highest(keymap.of([{ key: 'Enter', run: (shown) => enter(shown, options.onRun) }])),
        keymap.of([
          { key: 'Shift-Enter', run: insertNewlineAndIndent },
          { key: 'Mod-Enter', run: () => done(options.onRun) },
          { key: 'Tab', run: acceptCompletion },
          ...closeBracketsKeymap,
          ...completionKeymap,
          ...historyKeymap,
          ...lintKeymap,
          ...defaultKeymap,
        ]),
        EditorView.domEventHandlers({ beforeinput: replaceSelected }),
        placeholder(options.hint),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': options.label, autocapitalize: 'off' }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.onChange(update.state.doc.toString())
        }),
        editorTheme,
      ],
    }),
  })
  return {
    setText(text) {
      if (text === view.state.doc.toString()) return
      view.dispatch({
        changes: { from: 0, to: view.state.doc.length, insert: text },
        selection: { anchor: text.length },
      })
    },
    insert: (text) => view.dispatch(view.state.replaceSelection(text)),
    focus: () => view.focus(),
    destroy() {
      promql.destroy()
      view.destroy()
    },
  }
}

/** Takes what is offered for the word being written, or was gone to; runs the query where there is neither. */
function enter(view: EditorView, onRun: () => void): boolean {
  const chosen = selectedCompletion(view.state)
  const { head } = view.state.selection.main
  const word = /[a-zA-Z_:][\w:]*$/.exec(view.state.sliceDoc(0, head))?.[0] ?? ''
  const isMeant = (word !== '' && chosen?.label !== word) || (selectedCompletionIndex(view.state) ?? 0) > 0
  if (chosen !== null && isMeant) return acceptCompletion(view)
  closeCompletion(view)
  return done(onRun)
}

/**
 * Text typed over a selection. Left to itself, Chromium writes the deleted text's looks into a style attribute, which the page's
 * policy refuses with a report.
 */
function replaceSelected(event: InputEvent, view: EditorView): boolean {
  const { data } = event
  const { from, to, empty } = view.state.selection.main
  if (event.inputType !== 'insertText' || data === null || empty || view.composing) return false
  event.preventDefault()
  const insert = () => view.state.update(view.state.replaceSelection(data), { userEvent: 'input.type' })
  const handled = view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, data, insert))
  if (!handled) view.dispatch(insert())
  return true
}

function done(work: () => void): true {
  work()
  return true
}
