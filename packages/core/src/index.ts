export type {
  AccountChange,
  Accounts,
  AccountState,
  AccountStates,
  AccountView,
  KeptAccount,
  KeptAccounts,
} from './accounts.ts'
export { ChatRequest } from './chat.ts'
export type {
  ChatChunk,
  ChatCompletion,
  ChatMessage,
  ChunkChoice,
  ChunkHead,
  Delta,
  FinishReason,
  Frame,
  Frames,
  ToolCallDelta,
  Usage,
} from './chat.ts'
export { createDeadlines } from './deadlines.ts'
export type { Deadline, Deadlines } from './deadlines.ts'
export { EmbeddingsRequest } from './embeddings.ts'
export type { EmbeddingsResult } from './embeddings.ts'
export { FAILURES, GatewayError, toAborted, UpstreamError } from './errors.ts'
export type { FailureCode } from './errors.ts'
export { createFlow, run } from './flow.ts'
export type { Flow, Sink } from './flow.ts'
export { createId } from './ids.ts'
export { isObject, parseJson, parseObject, textOf } from './json.ts'
export type { JsonObject } from './json.ts'
export { JsonSource, parseJsonSource } from './json-source.ts'
export type { Edits } from './json-source.ts'
export { LoginError } from './login.ts'
export type { LoginRequest, PendingLogin, SignIn } from './login.ts'
export { defineProvider } from './provider.ts'
export type {
  Call,
  ConfigMistake,
  EmbeddingsCall,
  Model,
  Provider,
  ProviderDefinition,
  ProviderDeps,
  RelayCall,
} from './provider.ts'
export { toSafeText } from './safe-text.ts'
export { mask, secretsIn } from './secrets.ts'
export type { Timeouts, Upstream, UpstreamBody, UpstreamReply, UpstreamRequest } from './upstream.ts'
export { USER_AGENT } from './user-agent.ts'
