import { z } from 'zod'
import { parseClientStream } from '../client-stream.ts'

const count = z.int().min(0)

const chunk = z.strictObject({
  id: z.string().min(1),
  object: z.literal('text_completion'),
  created: z.int(),
  model: z.string().min(1),
  choices: z.array(
    z.strictObject({
      text: z.string(),
      index: count,
      logprobs: z.looseObject({ tokens: z.array(z.string()) }).nullable(),
      finish_reason: z.enum(['stop', 'length', 'content_filter']).nullable(),
    }),
  ),
  usage: z.looseObject({ prompt_tokens: count, completion_tokens: count, total_tokens: count }).nullish(),
})

const failure = z.strictObject({ error: z.looseObject({ message: z.string().min(1), code: z.string() }) })

/**
 * Every way in which the text of a stream is not what a strict client of text completions takes, in order; none for a good
 * stream. Knows nothing of the code that wrote it.
 *
 * @param whole whether it has to come to the good end; else to the bad one, which is an error
 */
export function breachesOfCompletions(stream: string, { whole }: { readonly whole: boolean }): string[] {
  const breaches: string[] = []
  const { events, done } = parseClientStream(stream)
  const ended = new Set<number>()
  const begun = new Set<number>()
  const chunks = whole ? events : events.slice(0, -1)
  for (const [at, event] of chunks.entries()) {
    const { data, error } = chunk.safeParse(event)
    if (data === undefined) {
      breaches.push(
        `event ${at}: ${error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`,
      )
      continue
    }
    for (const { index, finish_reason: reason } of data.choices) {
      begun.add(index)
      if (ended.has(index)) breaches.push(`event ${at}: choice ${index} goes on behind its end`)
      if (reason !== null) ended.add(index)
    }
    if (data.usage != null && at !== events.length - 1) breaches.push(`event ${at}: something follows the usage`)
  }
  if (done !== whole) breaches.push(whole ? 'There is no [DONE].' : 'There is a [DONE].')
  if (whole && begun.difference(ended).size > 0) breaches.push('A choice has no end.')
  if (!whole && !failure.safeParse(events.at(-1)).success) breaches.push('The end is no error.')
  return breaches
}
