/** An exception of the service, as it answers with it. */
export interface ServiceFault {
  readonly status: number
  /** Its name, such as `ThrottlingException`. */
  readonly exception: string
  readonly reason: string | null
  readonly message: string
}

const IMPROPER = 'Improperly formed request.'
const LIMIT = 'You have reached the limit.'

function fault(status: number, exception: string, message: string, reason: string | null = null): ServiceFault {
  return { status, exception: `${exception}Exception`, reason, message }
}

/** Reasons of a validation that say more than the words beside them: each is an error by its name in lower case. */
const REASONS = {
  'invalid-conversation-id': invalid('INVALID_CONVERSATION_ID'),
  'invalid-kms-grant': invalid('INVALID_KMS_GRANT'),
  'prompt-too-long': invalid('PROMPT_TOO_LONG'),
  'tool-config-missing': invalid('TOOL_CONFIG_MISSING'),
  'tool-duplicate': invalid('TOOL_DUPLICATE'),
  'tool-schema-invalid': invalid('TOOL_SCHEMA_INVALID'),
  'tool-use-result-mismatch': invalid('TOOL_USE_RESULT_MISMATCH'),
  'thinking-signature-invalid': invalid('THINKING_SIGNATURE_INVALID'),
  'image-count-exceeded': invalid('IMAGE_COUNT_EXCEEDED'),
  'image-dimension-exceeded': invalid('IMAGE_DIMENSION_EXCEEDED'),
  'image-format-unsupported': invalid('IMAGE_FORMAT_UNSUPPORTED'),
  'image-mime-mismatch': invalid('IMAGE_MIME_MISMATCH'),
  'image-size-exceeded': invalid('IMAGE_SIZE_EXCEEDED'),
  'document-count-exceeded': invalid('DOCUMENT_COUNT_EXCEEDED'),
  'document-duplicate-name': invalid('DOCUMENT_DUPLICATE_NAME'),
  'document-maximum-pages-exceeded': invalid('DOCUMENT_MAXIMUM_PAGES_EXCEEDED'),
  'document-model-not-supported': invalid('DOCUMENT_MODEL_NOT_SUPPORTED'),
  'document-password-protected': invalid('DOCUMENT_PASSWORD_PROTECTED'),
  'document-size-exceeded': invalid('DOCUMENT_SIZE_EXCEEDED'),
} as const

function invalid(reason: string): ServiceFault {
  return fault(400, 'Validation', IMPROPER, reason)
}

/** Every error that the service is known to answer with. */
export const EXCEPTIONS = {
  'too-long': fault(400, 'Validation', 'Input is too long.', 'CONTENT_LENGTH_EXCEEDS_THRESHOLD'),
  'invalid-model': fault(400, 'Validation', 'Invalid model: there is none of that name.', 'INVALID_MODEL_ID'),
  improper: fault(400, 'Validation', IMPROPER),
  'invalid-body': fault(400, 'Validation', IMPROPER, 'REQUEST_BODY_INVALID'),
  'invalid-json': fault(400, 'Serialization', 'The body is no JSON.', 'REQUEST_BODY_INVALID_JSON'),
  'invalid-parameter': fault(400, 'Validation', 'A parameter is not valid.'),
  'profile-required': fault(400, 'Validation', 'profileArn is required for this request.'),
  ...REASONS,
  'monthly-400': fault(400, 'Throttling', 'Maximum Request reached for this month.', 'MONTHLY_REQUEST_COUNT'),
  monthly: fault(402, 'ServiceQuotaExceeded', LIMIT, 'MONTHLY_REQUEST_COUNT'),
  'monthly-429': fault(429, 'Throttling', LIMIT, 'MONTHLY_REQUEST_COUNT'),
  overage: fault(402, 'ServiceQuotaExceeded', LIMIT, 'OVERAGE_REQUEST_LIMIT_EXCEEDED'),
  'conversation-limit': fault(402, 'ServiceQuotaExceeded', LIMIT, 'CONVERSATION_LIMIT_EXCEEDED'),
  'invalid-token': fault(403, 'AccessDenied', 'The bearer token included in the request is invalid.'),
  'invalid-token-401': fault(401, 'AccessDenied', 'The bearer token included in the request is invalid.'),
  suspended: fault(
    403,
    'AccessDenied',
    'Your User ID (d-0000000000.simulated) temporarily is suspended. We detected unusual user activity.',
    'TEMPORARILY_SUSPENDED',
  ),
  forbidden: fault(403, 'AccessDenied', 'User is not authorized to make this call.'),
  'feature-not-supported': fault(
    403,
    'AccessDenied',
    'User is not authorized to make this call.',
    'FEATURE_NOT_SUPPORTED',
  ),
  'customization-denied': fault(
    403,
    'AccessDenied',
    'User is not authorized to make this call.',
    'UNAUTHORIZED_CUSTOMIZATION_RESOURCE_ACCESS',
  ),
  'workspace-denied': fault(
    403,
    'AccessDenied',
    'User is not authorized to make this call.',
    'UNAUTHORIZED_WORKSPACE_CONTEXT_FEATURE_ACCESS',
  ),
  'builder-id': fault(403, 'AccessDenied', 'AWS Builder ID is not supported for this operation.'),
  'expired-token': fault(403, 'ExpiredToken', 'The security token included in the request is expired.'),
  'expired-token-400': fault(400, 'ExpiredToken', 'The security token included in the request is expired.'),
  'unknown-key': fault(403, 'UnrecognizedClient', 'The security token included in the request is invalid.'),
  'invalid-signature': fault(
    403,
    'InvalidSignature',
    'The signature of the request is not the one that it should have.',
  ),
  'late-signature': fault(403, 'InvalidSignature', 'Signature expired: the time of the request is too far away.'),
  'incomplete-signature': fault(400, 'IncompleteSignature', 'The signature of the request lacks something.'),
  'not-found': fault(404, 'ResourceNotFound', 'There is no such resource.'),
  'unknown-operation': fault(404, 'UnknownOperation', 'There is no such operation.'),
  'kms-policy': fault(409, 'Conflict', 'The key cannot be used.', 'CUSTOMER_KMS_KEY_INVALID_KEY_POLICY'),
  'kms-disabled': fault(409, 'Conflict', 'The key cannot be used.', 'CUSTOMER_KMS_KEY_DISABLED'),
  'kms-mismatch': fault(409, 'Conflict', 'The key cannot be used.', 'MISMATCHED_KMS_KEY'),
  capacity: fault(
    429,
    'Throttling',
    'I am experiencing high traffic, please try again shortly.',
    'INSUFFICIENT_MODEL_CAPACITY',
  ),
  daily: fault(429, 'Throttling', 'Too many requests for today.', 'DAILY_REQUEST_COUNT'),
  'credit-window': fault(429, 'Throttling', '60-minute credit limit exceeded'),
  throttled: fault(429, 'Throttling', 'Too many requests, please wait before trying again.'),
  internal: fault(
    500,
    'InternalServer',
    'Encountered an unexpected error when processing the request, please try again.',
  ),
  'high-load': fault(
    500,
    'InternalServer',
    'Encountered unexpectedly high load when processing the request, please try again.',
  ),
  'model-unavailable': fault(
    500,
    'InternalServer',
    'The model cannot be reached for the moment.',
    'MODEL_TEMPORARILY_UNAVAILABLE',
  ),
  unavailable: fault(503, 'ServiceUnavailable', 'The service is temporarily unavailable.'),
  'unavailable-500': fault(500, 'ServiceUnavailable', 'ServiceUnavailableException: try again later.'),
  'content-length': fault(400, 'ContentLengthExceeded', 'The answer is longer than it may be.'),
  'dry-run': fault(204, 'DryRunOperation', ''),
} as const satisfies Record<string, ServiceFault>

export type ExceptionName = keyof typeof EXCEPTIONS

export const EXCEPTION_NAMES = Object.keys(EXCEPTIONS) as readonly ExceptionName[]

/** Thrown where the service refuses something. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly fault: ServiceFault
  /** On the simulator's clock; null: nobody knows until when. */
  readonly until: number | null

  constructor(error: ExceptionName, message: string = EXCEPTIONS[error].message, until: number | null = null) {
    super(message)
    this.fault = { ...EXCEPTIONS[error], message }
    this.until = until
  }
}
