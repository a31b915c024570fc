import { isScalar, parseDocument, visit } from 'yaml'

/**
 * A list of targets in YAML. Labels are texts there whatever they look like: `rack: 12` is "12" and `version: 1.10` is
 * "1.10".
 *
 * @throws {YAMLParseError}
 */
export function parseTargetYaml(text: string): unknown {
  const document = parseDocument(text, { merge: true })
  const [error] = document.errors
  if (error) throw error
  visit(document, {
    Scalar(_key, node) {
      if (isScalar(node) && node.value !== null && typeof node.value !== 'string')
        node.value = node.source ?? node.value
    },
  })
  return document.toJS({ maxAliasCount: 1000 }) ?? []
}
