import { textPieces } from '../../words.ts'
import type { AmazonQAsk } from '../ask.ts'
import {
  callEvents,
  piecesOf,
  quoteOf,
  reasoningEvents,
  textEvents,
  thoughtsOf,
  toCall,
  toSaidCall,
} from '../events.ts'
import { toEvent } from '../frames.ts'
import { streamScript } from '../script.ts'
import type { Scripts } from '../script.ts'

/** Ordinary answers, and every kind of event. */
export const TEXTS: Scripts = {
  auto: streamScript(
    'What directives say; else one call where there are tools, then words about its result; else words.',
    auto,
  ),
  text: streamScript('Words.', words),
  echo: streamScript("The user's words.", ask => textEvents(ask, piecesOf(ask, ask.prompt))),
  reasoning: streamScript('Reasoning in events of its own, then words.', function* (ask) {
    yield* reasoningEvents(ask)
    yield* textEvents(ask)
  }),
  'reasoning-redacted': streamScript('Reasoning that nobody may read, then words.', function* (ask) {
    yield toEvent('reasoningContentEvent', { redactedContent: Buffer.from('simulated').toString('base64') })
    yield* textEvents(ask)
  }),
  'thinking-tags': streamScript('Reasoning in tags in front of the words.', tagged),
  'split-tags': streamScript('The same, one character in each event.', function* (ask) {
    const text = [...taggedPieces(ask)].join('')
    yield* textEvents(ask, text)
  }),
  'quoted-tags': streamScript('Words that speak of the tag.', ask =>
    textEvents(ask, ['The tag is written `', '<thinking>', '` and closed `', '</thinking>', '`.']),
  ),
  'multi-byte': streamScript('Letters of two, three and four bytes.', ask =>
    textEvents(ask, ['Grüße', ', 世界', ' 🏭', ' — done']),
  ),
  repeats: streamScript('The same words in several events, which all count.', ask =>
    textEvents(ask, ['- ', 'one\n', '- ', '- ', 'two\n']),
  ),
  code: streamScript('A part of the text comes as code.', function* (ask) {
    yield* textEvents(ask, ['As code: '])
    yield toEvent('codeEvent', { content: 'mill()' })
  }),
  'odd-content': streamScript('Events with empty text, with none, and with null in between.', function* (ask) {
    yield toEvent('assistantResponseEvent', { content: '' })
    for (const frame of textEvents(ask)) {
      yield frame
      yield toEvent('assistantResponseEvent', {})
      yield toEvent('assistantResponseEvent', { content: null })
      yield toEvent('assistantResponseEvent', { content: '' })
    }
  }),
  'all-events': streamScript(
    'Every other event that there is, and some that nobody knows, between the words.',
    everything,
  ),
}

/** The ordinary answer. */
function words(ask: AmazonQAsk): Iterable<Buffer> {
  return ask.thinking === 'tags' ? tagged(ask) : withThoughts(ask, textEvents(ask))
}

function* auto(ask: AmazonQAsk): Generator<Buffer> {
  const { step, tools, results } = ask
  const calls =
    step !== undefined && 'calls' in step ? step.calls.filter(call => tools.some(({ name }) => name === call.name)) : []
  if (step !== undefined && 'text' in step) yield* textEvents(ask, piecesOf(ask, step.text))
  else if (calls.length > 0) {
    for (const [index, call] of calls.entries()) yield* callEvents(toSaidCall(ask, index, call.name, call.arguments))
  } else if (results.length > 0) yield* textEvents(ask, piecesOf(ask, quoteOf(ask)))
  else if (tools.length > 0) {
    yield* textEvents(ask, ['Let me look that up.'])
    yield* callEvents(toCall(ask))
  } else yield* words(ask)
}

/** With reasoning before, where the request wants it so. */
export function* withThoughts(ask: AmazonQAsk, frames: Iterable<Buffer>): Generator<Buffer> {
  if (ask.thinking === 'events') yield* reasoningEvents(ask)
  yield* frames
}

function tagged(ask: AmazonQAsk): Iterable<Buffer> {
  return textEvents(ask, taggedPieces(ask))
}

function* taggedPieces(ask: AmazonQAsk): Generator<string> {
  yield '<think'
  yield 'ing>'
  yield* thoughtsOf(ask)
  yield '</thinking>'
  yield '\n\n'
  yield* textPieces(ask.options)
}

const OTHERS: readonly (readonly [type: string, payload: object])[] = [
  ['messageMetadataEvent', { conversationId: 'simulated', utteranceId: 'utterance-1' }],
  [
    'codeReferenceEvent',
    { references: [{ licenseName: 'MIT', repository: 'mill/wheel', url: 'https://example.com/mill' }] },
  ],
  [
    'supplementaryWebLinksEvent',
    { supplementaryWebLinks: [{ url: 'https://example.com/', title: 'Mill', snippet: 'wheels' }] },
  ],
  ['followupPromptEvent', { followupPrompt: { content: 'And the wind?', userIntent: 'EXPLAIN_CODE_SELECTION' } }],
  ['citationEvent', { citationLink: 'https://example.com/a', target: { location: 5 } }],
  ['documentCitationEvent', { source: 'mill.pdf', title: 'Mill', location: {}, sourceContent: [] }],
  ['intentsEvent', { intents: { SUPPORT: { case: [] } } }],
  ['interactionComponentsEvent', { interactionComponentEntries: [] }],
  [
    'toolResultEvent',
    { toolResult: { toolUseId: 'tooluse_of_the_service', content: [{ text: 'done' }], status: 'success' } },
  ],
  ['dryRunSucceedEvent', {}],
  ['assistantResponseEnd', {}],
  ['somethingNewEvent', { content: 'never to be seen', input: 'nor this', x: 1 }],
]

function* everything(ask: AmazonQAsk): Generator<Buffer> {
  const others = OTHERS.values()
  for (const frame of textEvents(ask)) {
    yield frame
    const { value } = others.next()
    if (value !== undefined) yield toEvent(value[0], value[1])
  }
  for (const [type, payload] of others) yield toEvent(type, payload)
}
