const MAX_LENGTH = 64

/** Ids as the service takes them, in the order of the calls: at most 64 of `a-zA-Z0-9_-`, none twice in a conversation. */
export function createToolUseIds(): (id: string) => string {
  const taken = new Set<string>()
  const counts = new Map<string, number>()
  return id => {
    const accepted = id.replaceAll(/[^\w-]/g, '_').slice(0, MAX_LENGTH)
    let unique = accepted
    let count = counts.get(accepted) ?? 0
    while (taken.has(unique)) {
      const suffix = `_${(count += 1) + 1}`
      unique = accepted.slice(0, MAX_LENGTH - suffix.length) + suffix
    }
    counts.set(accepted, count)
    taken.add(unique)
    return unique
  }
}
