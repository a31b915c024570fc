/** The tree of one template. `pos` is the UTF-16 index that errors point at. */
export type Node = TextNode | ActionNode | BranchNode | TemplateNode | LoopJumpNode

export interface ListNode {
  readonly nodes: readonly Node[]
}

export interface TextNode {
  readonly kind: 'text'
  readonly pos: number
  readonly text: string
}

export interface ActionNode {
  readonly kind: 'action'
  readonly pos: number
  readonly pipe: PipeNode
}

export interface BranchNode {
  readonly kind: 'if' | 'with' | 'range'
  readonly pos: number
  readonly pipe: PipeNode
  readonly list: ListNode
  readonly elseList: ListNode | undefined
}

export interface TemplateNode {
  readonly kind: 'template'
  readonly pos: number
  readonly name: string
  readonly pipe: PipeNode | undefined
}

export interface LoopJumpNode {
  readonly kind: 'break' | 'continue'
  readonly pos: number
}

export interface PipeNode {
  readonly kind: 'pipe'
  readonly pos: number
  /** `$x := …`, or `$i, $x := …` in a range. */
  readonly variables: readonly string[]
  /** `=` instead of `:=`. */
  readonly assigns: boolean
  /** Head of a range, which sets its variables itself, once per item. */
  readonly ofRange: boolean
  readonly commands: readonly CommandNode[]
}

export interface CommandNode {
  readonly kind: 'command'
  readonly pos: number
  readonly args: readonly OperandNode[]
}

export type OperandNode =
  | { readonly kind: 'dot'; readonly pos: number }
  | { readonly kind: 'nil'; readonly pos: number }
  | { readonly kind: 'identifier'; readonly pos: number; readonly name: string }
  /** `.a.b` */
  | { readonly kind: 'field'; readonly pos: number; readonly names: readonly string[] }
  /** `$x.a.b` */
  | { readonly kind: 'variable'; readonly pos: number; readonly name: string; readonly names: readonly string[] }
  /** `(…).a.b` */
  | ChainNode
  | { readonly kind: 'bool'; readonly pos: number; readonly value: boolean }
  | { readonly kind: 'number'; readonly pos: number; readonly text: string; readonly value: bigint | number }
  | { readonly kind: 'string'; readonly pos: number; readonly quoted: string; readonly value: string }
  | PipeNode

export interface ChainNode {
  readonly kind: 'chain'
  readonly pos: number
  readonly base: OperandNode
  readonly names: readonly string[]
}

/** A node as Go prints it in error messages. */
export function nodeText(node: Node | OperandNode | CommandNode): string {
  switch (node.kind) {
    case 'text':
      return node.text
    case 'action':
      return `{{${nodeText(node.pipe)}}}`
    case 'if':
    case 'with':
    case 'range':
      return branchText(node)
    case 'template':
      return `{{template ${JSON.stringify(node.name)}${node.pipe ? ` ${nodeText(node.pipe)}` : ''}}}`
    case 'break':
    case 'continue':
      return `{{${node.kind}}}`
    case 'pipe':
      return pipeText(node)
    case 'command':
      return node.args.map((arg) => (arg.kind === 'pipe' ? `(${nodeText(arg)})` : nodeText(arg))).join(' ')
    case 'dot':
      return '.'
    case 'nil':
      return 'nil'
    case 'identifier':
      return node.name
    case 'field':
      return fieldsText(node.names)
    case 'variable':
      return node.name + fieldsText(node.names)
    case 'chain':
      return (node.base.kind === 'pipe' ? `(${nodeText(node.base)})` : nodeText(node.base)) + fieldsText(node.names)
    case 'bool':
      return String(node.value)
    case 'number':
      return node.text
    case 'string':
      return node.quoted
  }
}

const fieldsText = (names: readonly string[]): string => names.map((name) => `.${name}`).join('')

function pipeText(pipe: PipeNode): string {
  const declared = pipe.variables.length > 0 ? `${pipe.variables.join(', ')} ${pipe.assigns ? '=' : ':='} ` : ''
  return declared + pipe.commands.map(nodeText).join(' | ')
}

function branchText(node: BranchNode): string {
  const list = (l: ListNode): string => l.nodes.map(nodeText).join('')
  const otherwise = node.elseList ? `{{else}}${list(node.elseList)}` : ''
  return `{{${node.kind} ${nodeText(node.pipe)}}}${list(node.list)}${otherwise}{{end}}`
}
