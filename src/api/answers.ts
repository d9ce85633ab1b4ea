/** How the doors answer when something is wrong: `{error:{code,message,hint}}` with the status of the table (CONTRACT §5). */
import { CodedError, type ErrorCode, ERRORS } from '../domain/errors.js';
import { redactText } from '../domain/redact.js';

export interface ErrorAnswer {
  readonly status: number;
  readonly body: {
    readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint: string };
  };
}

/** `message` is the entry's meaning unless something more exact is known. */
export function errorAnswer(code: ErrorCode, message?: string): ErrorAnswer {
  const entry = ERRORS[code];
  return {
    status: entry.http,
    body: { error: { code, message: redactText(message ?? entry.meaning), hint: entry.hint } },
  };
}

/** Of whatever was thrown: our own failures by their code, the framework's by theirs, the rest is a bug. */
export function answerFor(error: unknown): ErrorAnswer {
  if (error instanceof CodedError) {
    const { meaning } = ERRORS[error.code];
    return errorAnswer(error.code, error.detail === '' ? meaning : `${meaning} ${error.detail}`);
  }
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
    case 'HPE_HEADER_OVERFLOW':
      return errorAnswer('request_too_large');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return errorAnswer('request_timeout');
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return errorAnswer('request_invalid');
    default:
      // What a bug says may show anything; it belongs in the log.
      return errorAnswer(typeof code === 'string' && code.startsWith('HPE_') ? 'request_invalid' : 'bug');
  }
}
