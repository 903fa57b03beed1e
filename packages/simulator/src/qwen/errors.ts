/** An error of the services, with the code that each dialect has for it. */
interface ErrorRow {
  readonly status: number
  /** In the compatible dialect, and in the native one. */
  readonly code: string | number | null
  readonly native: string
  /** `error.type`, where it is not what the status makes it. */
  readonly type?: string
  readonly message: string
  /** How it is written, where that is not what the endpoint makes it. */
  readonly shape?: 'html'
}

const INVALID = { status: 400, code: 'invalid_parameter_error', native: 'InvalidParameter' }
const INSPECTED = {
  status: 400,
  code: 'data_inspection_failed',
  native: 'DataInspectionFailed',
  type: 'data_inspection_failed',
}
const QUOTA = { status: 429, code: 'insufficient_quota', native: 'Throttling.AllocationQuota' }

function bill(code: string, message: string): ErrorRow {
  return { status: 429, code, native: code, message }
}

/** Every error that the services are known to answer with. */
export const ERRORS = {
  'input-length': { ...INVALID, message: 'Range of input length should be [1, 997952]' },
  'max-tokens': { ...INVALID, message: 'Range of max_tokens should be [1, 65536]' },
  'thinking-budget': { ...INVALID, message: 'Range of thinking_budget should be [1, 81920]' },
  'thinking-whole': {
    ...INVALID,
    message: 'parameter.enable_thinking must be set to false for non-streaming calls',
  },
  'stream-only': {
    ...INVALID,
    message: 'This model only support stream mode, please enable the stream parameter to access the model.',
  },
  'json-word': {
    ...INVALID,
    message: "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
  },
  'tool-choice': { ...INVALID, message: 'The tool_choice parameter does not support being set to required' },
  'repeated-calls': { ...INVALID, message: 'Repetitive tool calls detected' },
  'model-not-exist': { ...INVALID, message: 'Model not exist.' },
  'url-error': { ...INVALID, message: 'url error, please check url!' },
  'bad-request': { ...INVALID, message: 'bad request' },
  'invalid-parameter': { ...INVALID, message: 'A parameter is not valid.' },
  'inspected-input': { ...INSPECTED, message: 'Input data may contain inappropriate content.' },
  'inspected-output': { ...INSPECTED, message: 'Output data may contain inappropriate content.' },
  'inspected-text': { ...INSPECTED, message: 'Input text data may contain inappropriate content.' },
  arrearage: {
    status: 400,
    code: 'Arrearage',
    native: 'Arrearage',
    message: 'Access denied, please make sure your account is in good standing.',
  },
  'invalid-key': {
    status: 401,
    code: 'invalid_api_key',
    native: 'InvalidApiKey',
    message: 'Incorrect API key provided. Check the key, and that it is one of this region.',
  },
  'token-expired': {
    status: 401,
    code: 'invalid_api_key',
    native: 'InvalidApiKey',
    message: 'invalid access token or token expired',
  },
  'access-denied': { status: 403, code: 'access_denied', native: 'AccessDenied', message: 'Access denied.' },
  'model-denied': {
    status: 403,
    code: 'Model.AccessDenied',
    native: 'Model.AccessDenied',
    message: 'Model access denied.',
  },
  'workspace-denied': {
    status: 403,
    code: 'Workspace.AccessDenied',
    native: 'Workspace.AccessDenied',
    message: 'Workspace access denied.',
  },
  unpurchased: {
    status: 403,
    code: 'AccessDenied.Unpurchased',
    native: 'AccessDenied.Unpurchased',
    message: 'Access to the model is denied, as it has not been purchased.',
  },
  'agents-only': {
    status: 403,
    code: 'access_denied',
    native: 'AccessDenied',
    message: 'This plan is only available for Coding Agents.',
  },
  'free-tier-only': {
    status: 403,
    code: 'AllocationQuota.FreeTierOnly',
    native: 'AllocationQuota.FreeTierOnly',
    message: 'The free tier of the model has been exhausted, and the account uses the free tier only.',
  },
  'free-quota': { ...QUOTA, message: 'Free allocated quota exceeded.' },
  'model-not-found': {
    status: 404,
    code: 'model_not_found',
    native: 'ModelNotFound',
    message: 'The model `x` does not exist or you do not have access to it.',
  },
  'model-not-supported': {
    status: 404,
    code: 'model_not_supported',
    native: 'ModelNotSupported',
    message: 'The model is not supported by the compatible mode.',
  },
  'no-route': { status: 404, code: null, native: 'NotFound', message: 'There is nothing here.' },
  'request-limit': {
    status: 429,
    code: 'limit_requests',
    native: 'Throttling.RateQuota',
    message: 'You exceeded your current requests list.',
  },
  'rate-limit': {
    status: 429,
    code: 'limit_requests',
    native: 'Throttling.RateQuota',
    message: 'Requests rate limit exceeded, please try again later.',
  },
  'burst-rate': {
    status: 429,
    code: 'limit_burst_rate',
    native: 'Throttling.BurstRate',
    message: 'Request rate increased too quickly. Let it grow slowly.',
  },
  'token-limit': {
    ...QUOTA,
    message: 'You exceeded your current quota, please check your plan and billing details. See #token-limit',
  },
  'allocated-quota': { ...QUOTA, message: 'Allocated quota exceeded, please increase your quota limit.' },
  'hour-quota': { ...QUOTA, message: 'hour allocated quota exceeded' },
  'week-quota': { ...QUOTA, message: 'week allocated quota exceeded' },
  'month-quota': { ...QUOTA, message: 'month allocated quota exceeded' },
  throttling: { status: 429, code: 'Throttling', native: 'Throttling', message: 'Requests throttling triggered.' },
  'not-purchased': bill('CommodityNotPurchased', 'The service has not been purchased.'),
  'prepaid-overdue': bill('PrepaidBillOverdue', 'The prepaid bill is overdue.'),
  'postpaid-overdue': bill('PostpaidBillOverdue', 'The postpaid bill is overdue.'),
  'third-party-1302': { status: 429, code: 1302, native: '1302', message: 'Rate limit of the hosted model reached.' },
  'third-party-1305': { status: 429, code: 1305, native: '1305', message: 'The hosted model is too busy.' },
  'internal-error': {
    status: 500,
    code: 'internal_error',
    native: 'InternalError',
    message: 'An internal error has occured, please try again later.',
  },
  'broken-arguments': {
    status: 500,
    code: 'internal_error',
    native: 'InternalError.Algo',
    message: "Expecting ',' delimiter: line 1 column 13 (char 12)",
  },
  'list-index': {
    status: 500,
    code: 'internal_error',
    native: 'InternalError.Algo',
    message: 'list index out of range',
  },
  'request-timeout': { status: 500, code: 'RequestTimeOut', native: 'RequestTimeOut', message: 'Request timed out.' },
  'internal-timeout': {
    status: 500,
    code: 'InternalError.Timeout',
    native: 'InternalError.Timeout',
    message: 'The request was not answered in time.',
  },
  'serving-error': {
    status: 503,
    code: 'ModelServingError',
    native: 'ModelServingError',
    message: 'Too many requests. Your requests are being throttled due to system capacity limits.',
  },
  unavailable: {
    status: 503,
    code: 'ModelUnavailable',
    native: 'ModelUnavailable',
    message: 'The model is unavailable, please try again later.',
  },
  'gateway-timeout': { status: 504, code: null, native: 'GatewayTimeout', message: 'stream timeout' },
  capacity: { status: 529, code: null, native: 'Capacity', message: 'The service is at capacity.' },
  waf: { status: 403, code: null, native: 'Waf', message: 'Please prove that you are human.', shape: 'html' },
} satisfies Record<string, ErrorRow>

export type ErrorName = keyof typeof ERRORS

export const ERROR_NAMES = Object.keys(ERRORS) as readonly ErrorName[]

/** A row of the catalogue, as one request meets it. */
export interface ServiceFault extends ErrorRow {
  readonly type: string
}

/** The row, in other words or with another status where those are given. */
export function toServiceFault(
  name: ErrorName,
  other: { message?: string | undefined; status?: number } = {},
): ServiceFault {
  const row: ErrorRow = ERRORS[name]
  const message = other.message ?? row.message
  return { ...row, ...other, message, type: row.type ?? usualType(row) }
}

function usualType({ status, code }: ErrorRow): string {
  if (status === 401 || status === 404 || code === INVALID.code) return 'invalid_request_error'
  return code === null ? 'server_error' : String(code)
}

/** A request is answered with an error of the catalogue. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly fault: ServiceFault
  /** When it will be otherwise, on the simulator's clock. */
  readonly until: number | null

  constructor(name: ErrorName, message?: string, until: number | null = null) {
    const fault = toServiceFault(name, { message })
    super(fault.message)
    this.fault = fault
    this.until = until
  }
}
