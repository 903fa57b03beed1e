/** Of `names` the one that `word` was most likely meant to be, where one comes close. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const wanted = plain(word)
  const ranked = names
    .map(name => ({ name, distance: distanceBetween(wanted, plain(name)) }))
    .toSorted((a, b) => a.distance - b.distance)
  const [best] = ranked
  return best !== undefined && best.distance <= Math.max(1, Math.floor(wanted.length / 3)) ? best.name : undefined
}

/** Spelled as others spell it: `base_url`, `base-url` and `baseURL` are all the same here. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_. ]/g, '')
}

/** How many letters have to be added, left out, changed or swapped with the next to make one word from the other. */
function distanceBetween(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current[column] = Math.min(
        last[column]! + 1,
        current[column - 1]! + 1,
        last[column - 1]! + (same ? 0 : 1),
        swapped ? beforeLast[column - 2]! + 1 : Infinity,
      )
    }
    beforeLast = last
    last = current
  }
  return last[b.length]!
}
