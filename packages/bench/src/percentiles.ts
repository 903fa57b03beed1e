/** For each share (0 to 1) the value that so many of the values do not exceed; undefined where there are none. */
export function percentiles(values: readonly number[], shares: readonly number[]): readonly (number | undefined)[] {
  const ascending = sorted(values)
  return shares.map(share => ascending[Math.max(0, Math.ceil(ascending.length * share) - 1)])
}

/** The middle value; between the two middle ones where their number is even; undefined where there is none. */
export function median(values: readonly number[]): number | undefined {
  const ascending = sorted(values)
  const middle = ascending.length >> 1
  const upper = ascending[middle]
  return upper === undefined || ascending.length % 2 === 1 ? upper : (ascending[middle - 1]! + upper) / 2
}

function sorted(values: readonly number[]): Float64Array {
  return Float64Array.from(values).toSorted()
}
