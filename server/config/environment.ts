/** `${VAR}` and `$VAR` in external labels; `$$` is a dollar, an unset variable is empty (as Go's os.Expand). */
export function expandEnvironment(text: string, env: NodeJS.ProcessEnv): string {
  return text.replace(/\$(?:\$|\{([^}]*)\}|([a-zA-Z_][a-zA-Z0-9_]*))/g, (match, braced?: string, plain?: string) => {
    if (match === '$$') return '$'
    return env[braced ?? plain ?? ''] ?? ''
  })
}
