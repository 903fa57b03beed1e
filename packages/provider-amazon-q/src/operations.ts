import { controlEndpointOf, isKiroHost } from './endpoints.ts'
import type { AmazonQConfig } from './config.ts'

/** A request to the service, but for the headers that say who sends it. */
export interface OperationRequest {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** How the operations that stream are named in a header. The one for signed requests has no other name. */
const TARGETS = {
  GenerateAssistantResponse: 'AmazonCodeWhispererStreamingService.GenerateAssistantResponse',
  SendMessage: 'AmazonQDeveloperStreamingService.SendMessage',
} as const
export type StreamingOperation = keyof typeof TARGETS

/** The lists that the service gives page by page, and how they are asked for by their paths. */
const LISTS = { ListAvailableModels: 'GET', ListAvailableProfiles: 'POST' } as const
export type ListOperation = keyof typeof LISTS

const JSON_PROTOCOL = 'application/x-amz-json-1.0'
/** The mode that the JSON protocol has in its body. */
const AGENT_MODE = 'vibe'
const EVENT_STREAM = 'application/vnd.amazon.eventstream'

/** A request for an answer. */
export function toAnswerRequest(
  operation: StreamingOperation,
  flavour: AmazonQConfig['flavour'],
  endpoint: string,
  body: Buffer,
): OperationRequest {
  if (flavour === 'json' || operation === 'SendMessage') {
    return toTargeted(endpoint, TARGETS[operation], EVENT_STREAM, body)
  }
  const headers = { accept: EVENT_STREAM, 'content-type': 'application/json', 'x-amzn-kiro-agent-mode': AGENT_MODE }
  return { method: 'POST', url: toUrl(endpoint, 'generateAssistantResponse'), headers, body }
}

/** A request for a page of a list; members that are undefined are left out. */
export function toListRequest(
  operation: ListOperation,
  flavour: AmazonQConfig['flavour'],
  endpoint: string,
  members: Readonly<Record<string, string | number | undefined>>,
): OperationRequest {
  const control = controlEndpointOf(endpoint)
  const isOfKiro = isKiroHost(endpoint)
  const accept = 'application/json'
  const body = Buffer.from(JSON.stringify(members))
  if (flavour === 'json' && !isOfKiro) {
    return toTargeted(control, `AmazonCodeWhispererService.${operation}`, accept, body)
  }
  const url = toUrl(control, isOfKiro ? operation.replaceAll(/\B[A-Z]/g, '-$&') : operation)
  const method = LISTS[operation]
  if (method === 'POST') return { method, url, headers: { accept, 'content-type': 'application/json' }, body }
  for (const [name, value] of Object.entries(members))
    if (value !== undefined) url.searchParams.set(name, String(value))
  return { method, url, headers: { accept }, body: Buffer.alloc(0) }
}

function toTargeted(endpoint: string, target: string, accept: string, body: Buffer): OperationRequest {
  const headers = { accept, 'content-type': JSON_PROTOCOL, 'x-amz-target': target }
  return { method: 'POST', url: toUrl(endpoint, ''), headers, body }
}

function toUrl(endpoint: string, path: string): URL {
  return new URL(path, endpoint.endsWith('/') ? endpoint : `${endpoint}/`)
}
