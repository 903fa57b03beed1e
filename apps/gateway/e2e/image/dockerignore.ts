/**
 * A `.dockerignore` → whether it leaves a path out of the build context. Paths have slashes and no leading one. A
 * pattern counts for all that is beneath what it names, and the last one that matches decides.
 */
export function parseDockerignore(text: string): (path: string) => boolean {
  const rules = text
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => ({ ignored: !line.startsWith('!'), pattern: toPattern(line.replace(/^!/, '')) }))
  return path => rules.findLast(({ pattern }) => pattern.test(path))?.ignored ?? false
}

function toPattern(glob: string): RegExp {
  const parts = glob.split(/(\*\*\/|\*\*|\*|\?)/).map(part => WILDCARDS.get(part) ?? RegExp.escape(part))
  return new RegExp(`^${parts.join('')}(?:/|$)`)
}

const WILDCARDS = new Map([
  ['**/', '(?:.*/)?'],
  ['**', '.*'],
  ['*', '[^/]*'],
  ['?', '[^/]'],
])
