export { chat } from './chat/index.ts'
export type { Asked, Dialect, Encoder, ErrorAnswer, Members } from './dialect.ts'
