export { chat } from './chat/index.ts'
export { completions } from './completions/index.ts'
export type { Asked, Dialect, Encoder, ErrorAnswer, Members } from './dialect.ts'
export { readBody } from './read-body.ts'
