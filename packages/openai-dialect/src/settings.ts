import { z } from 'zod'

const member = z.string().min(1)

/** Settings that every kind of provider in the OpenAI dialect has. */
export const dialectSettings = {
  headers: z.record(z.string(), z.string()).optional().describe('Headers to send with every request to this upstream'),
  messagesUrl: z
    .url()
    .optional()
    .describe(
      "The endpoint of Anthropic's Messages, such as `https://api.example.com/v1/messages`, of an upstream that has one: requests in that dialect then go there as they came, and the answers come back as they are",
    ),
  thinkTags: z
    .enum(['keep', 'split'])
    .default('keep')
    .describe(
      'What becomes of a leading `<think>…</think>` in the text: stays there, or is told as `reasoning_content`',
    ),
  request: z
    .strictObject({
      rename: z
        .record(member, member)
        .optional()
        .describe('Request members under another name, such as `max_completion_tokens: max_tokens`'),
      drop: z.array(member).optional().describe('Request members that this upstream refuses'),
      set: z.record(member, z.json()).optional().describe('Request members to send whatever the client says'),
    })
    .default({})
    .describe('Changes to the request for an upstream that differs'),
}
