const DIMENSIONS = 16
const MAX_DIMENSIONS = 4096

/** The answer to an embeddings request: for the same input always the same vectors, each of length 1. */
export function toEmbeddings(body: Record<string, unknown>, model: string): object {
  const inputs = toInputs(body['input'])
  const asked = body['dimensions']
  const dimensions = typeof asked === 'number' && asked >= 1 ? Math.min(MAX_DIMENSIONS, Math.trunc(asked)) : DIMENSIONS
  const tokens = inputs.reduce((sum, input) => sum + input.split(/[\s,]+/).length, 0)
  return {
    object: 'list',
    data: inputs.map((input, index) => {
      const vector = toVector(input, dimensions)
      const embedding = body['encoding_format'] === 'base64' ? toBase64(vector) : [...vector]
      return { object: 'embedding', index, embedding }
    }),
    model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  }
}

/** One text or list of tokens, or several of them → one text for each. */
function toInputs(input: unknown): string[] {
  if (Array.isArray(input) && typeof input[0] !== 'number') return input.map(String)
  return [String(input ?? '')]
}

function toVector(input: string, dimensions: number): Float32Array {
  let state = 0x811c9dc5 // the hash of the text (FNV-1a) is where a linear congruential sequence begins
  for (const byte of Buffer.from(input)) state = Math.imul(state ^ byte, 0x01000193)
  const vector = Float32Array.from({ length: dimensions }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 31 - 1
  })
  const length = Math.hypot(...vector)
  return vector.map(value => value / length)
}

/** Little-endian 32-bit floats. */
function toBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [at, value] of vector.entries()) bytes.writeFloatLE(value, at * 4)
  return bytes.toString('base64')
}
