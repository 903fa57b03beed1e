/** What a user's message wants the model to do in one turn. */
export type Step =
  | { readonly calls: readonly { readonly name: string; readonly arguments: string }[] }
  | { readonly text: string }

/**
 * `[call NAME {"member":"value"}]` and `[say TEXT]`, with `then` before the word where it is for the next turn. Calls
 * that stand together are made together.
 */
const DIRECTIVE = /\[(then )?(call|say) /g

export function hasDirective(text: string): boolean {
  return text.search(DIRECTIVE) !== -1
}

/** The turns that a message describes, in order. */
export function stepsOf(text: string): readonly Step[] {
  const steps: Step[] = []
  for (const { 0: mark, 1: then, 2: verb, index } of text.matchAll(DIRECTIVE)) {
    const start = index + mark.length
    const inside = text.slice(start, endOf(text, start)).trim()
    const last = steps.at(-1)
    if (verb === 'say') steps.push({ text: inside })
    else if (then === undefined && last !== undefined && 'calls' in last) {
      steps[steps.length - 1] = { calls: [...last.calls, toCall(inside)] }
    } else steps.push({ calls: [toCall(inside)] })
  }
  return steps
}

function toCall(inside: string): { readonly name: string; readonly arguments: string } {
  const [, name = '', args = ''] = /^(\S+)\s*(.*)$/s.exec(inside) ?? []
  return { name, arguments: args === '' ? '{}' : args }
}

/** Where the bracket closes that was open before `start`; brackets in strings of JSON do not count. */
function endOf(text: string, start: number): number {
  let depth = 1
  let quoted = false
  const isJson = text.slice(start).search(/^\S+\s*\{/) === 0
  for (let at = start; at < text.length; at++) {
    const character = text[at]
    if (quoted && character === '\\') at++
    else if (character === '"' && isJson) quoted = !quoted
    else if (!quoted && character === '[') depth++
    else if (!quoted && character === ']' && --depth === 0) return at
  }
  return text.length
}
