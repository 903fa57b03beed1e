/** The bytes in two reads. */
export function cutAt(bytes: Buffer, position: number): Buffer[] {
  return [bytes.subarray(0, position), bytes.subarray(position)]
}

/** The bytes in reads of `size`. */
export function cutEvery(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size))
}

/** The bytes cut at each of the positions, in whatever order they come; where two are the same, a read is empty. */
export function cutAtAll(bytes: Buffer, positions: readonly number[]): Buffer[] {
  const sorted = positions.toSorted((one, other) => one - other)
  return [...sorted, bytes.length].map((end, at) => bytes.subarray(sorted[at - 1] ?? 0, end))
}
