import { readContent, type Message } from './content.ts'

/** What each of the instructions says with which a conversation begins. Later ones are part of the conversation. */
export function readInstructions(messages: readonly Message[]): string[] {
  const first = messages.findIndex(({ role }) => role !== 'system' && role !== 'developer')
  const leading = first === -1 ? messages : messages.slice(0, first)
  return leading.map((message, at) => readContent(message, at).text.toWellFormed())
}

/** One text of several; empty where none says anything. */
export function toSystemPrompt(texts: readonly (string | undefined)[]): string {
  return texts.filter(text => text !== undefined && text.trim() !== '').join('\n\n')
}
