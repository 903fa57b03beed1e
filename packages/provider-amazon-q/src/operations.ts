import { controlEndpointOf, isKiro } from './endpoints.ts'
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

/** A request for a page of the list of models; members that are undefined are left out. */
export function toListRequest(
  flavour: AmazonQConfig['flavour'],
  endpoint: string,
  members: Readonly<Record<string, string | number | undefined>>,
): OperationRequest {
  const control = controlEndpointOf(endpoint)
  if (flavour === 'json' && !isKiro(endpoint)) {
    const target = 'AmazonCodeWhispererService.ListAvailableModels'
    return toTargeted(control, target, 'application/json', Buffer.from(JSON.stringify(members)))
  }
  const url = toUrl(control, isKiro(endpoint) ? 'List-Available-Models' : 'ListAvailableModels')
  for (const [name, value] of Object.entries(members))
    if (value !== undefined) url.searchParams.set(name, String(value))
  return { method: 'GET', url, headers: { accept: 'application/json' }, body: Buffer.alloc(0) }
}

function toTargeted(endpoint: string, target: string, accept: string, body: Buffer): OperationRequest {
  const headers = { accept, 'content-type': JSON_PROTOCOL, 'x-amz-target': target }
  return { method: 'POST', url: toUrl(endpoint, ''), headers, body }
}

function toUrl(endpoint: string, path: string): URL {
  return new URL(path, endpoint.endsWith('/') ? endpoint : `${endpoint}/`)
}
