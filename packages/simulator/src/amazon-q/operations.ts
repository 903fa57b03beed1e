import type { Reply } from '../service/route.ts'
import type { AmazonQAccount } from './accounts.ts'
import { answerChat } from './chat.ts'
import { listModels, listProfiles, usageLimits } from './control-plane.ts'
import { ServiceError } from './exceptions.ts'
import { bearerAccount, signedAccount } from './identity.ts'
import type { Asked } from './route.ts'
import type { World } from './world.ts'

interface Operation {
  readonly identify: (world: World, asked: Asked) => AmazonQAccount
  readonly answer: (world: World, asked: Asked, account: AmazonQAccount) => Reply
}

const OPERATIONS = {
  GenerateAssistantResponse: { identify: bearerAccount, answer: answerChat },
  SendMessage: { identify: bearerAccount, answer: answerChat },
  SignedSendMessage: { identify: signedAccount, answer: answerChat },
  ListAvailableModels: { identify: bearerAccount, answer: listModels },
  GetUsageLimits: { identify: bearerAccount, answer: usageLimits },
  ListAvailableProfiles: { identify: bearerAccount, answer: listProfiles },
} as const satisfies Record<string, Operation>

export type OperationName = keyof typeof OPERATIONS

export const OPERATION_NAMES = Object.keys(OPERATIONS) as readonly OperationName[]

/** `x-amz-target` → operation. */
export const TARGETS: ReadonlyMap<string, OperationName> = new Map([
  ['AmazonCodeWhispererStreamingService.GenerateAssistantResponse', 'GenerateAssistantResponse'],
  ['AmazonCodeWhispererStreamingService.SendMessage', 'SendMessage'],
  ['AmazonQDeveloperStreamingService.SendMessage', 'SignedSendMessage'],
  ['AmazonCodeWhispererService.ListAvailableModels', 'ListAvailableModels'],
  ['AmazonCodeWhispererService.GetUsageLimits', 'GetUsageLimits'],
  ['AmazonCodeWhispererService.ListAvailableProfiles', 'ListAvailableProfiles'],
])

/** Method, blank, path → operation; the paths with hyphens are those of Kiro's newer hosts. */
export const PATHS: ReadonlyMap<string, OperationName> = new Map([
  ['POST /generateAssistantResponse', 'GenerateAssistantResponse'],
  ['POST /SendMessageStreaming', 'SendMessage'],
  ['GET /ListAvailableModels', 'ListAvailableModels'],
  ['GET /List-Available-Models', 'ListAvailableModels'],
  ['GET /getUsageLimits', 'GetUsageLimits'],
  ['GET /Get-Usage-Limits', 'GetUsageLimits'],
  ['POST /ListAvailableProfiles', 'ListAvailableProfiles'],
  ['POST /List-Available-Profiles', 'ListAvailableProfiles'],
])

/** Of a request to `POST /`, or to a path. */
export function operationOf({ flavour, method, path, headers }: Asked): OperationName | undefined {
  return flavour === 'json' ? TARGETS.get(String(headers['x-amz-target'])) : PATHS.get(`${method} ${path}`)
}

/**
 * Carries out an operation.
 * @throws {ServiceError} there is no such operation, or it is refused
 * @throws {OptionError} the request's wish makes no sense
 */
export function runOperation(world: World, asked: Asked, name: OperationName | undefined): Reply {
  if (name === undefined) throw new ServiceError('unknown-operation')
  if (asked.flavour === 'json' && !/^application\/x-amz-json-1\.0\b/.test(asked.headers['content-type'] ?? '')) {
    throw new ServiceError('invalid-parameter')
  }
  const failure = world.failures.get(name)
  if (failure !== undefined) throw new ServiceError(failure)
  const { identify, answer }: Operation = OPERATIONS[name]
  return answer(world, asked, identify(world, asked))
}
