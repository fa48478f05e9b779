import { ERRORS, type TidegateError } from '../kernel/index.ts';
import type { ResponseHeaders } from './port.ts';
import { HTTP_STATUS } from './status.ts';

/** An error as it is told to a client: complete but for the connection's own fields. */
export interface ProblemResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly body: string;
}

/** How long a client should wait before it tries again what a 503 or 429 refused, in seconds, unless the error knows better. */
const RETRY_AFTER_SECONDS = 1;

/** The methods that some path of the public port takes: what RFC 9110, section 15.5.6 has a 405 name. */
const METHODS = 'GET, HEAD, POST, OPTIONS';

/** Renders an error as problem details (RFC 9457). The cause stays here: it is for logs. */
export function problemResponse(error: TidegateError): ProblemResponse {
  const entry = ERRORS[error.code];
  const status = HTTP_STATUS[error.code];
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
  };
  if (status === 503 || status === 429) headers['retry-after'] = retryAfter(error);
  if (status === 401) headers['www-authenticate'] = challenge(error);
  if (status === 405) headers.allow = METHODS;
  const body = JSON.stringify({
    type: `urn:tidegate:error:${error.code}`,
    title: entry.title,
    status,
    ...(error.detail === '' ? {} : { detail: error.detail }),
    code: error.code,
    retryable: entry.retryable,
    hint: entry.hint,
  });
  return { status, headers, body };
}

function retryAfter({ retryAfterMs }: TidegateError): string {
  return String(retryAfterMs === null ? RETRY_AFTER_SECONDS : Math.max(1, Math.ceil(retryAfterMs / 1000)));
}

/** RFC 6750, section 3: what kind of credential would do, and whether one was shown that does not. */
function challenge({ code }: TidegateError): string {
  return code === 'credential_missing'
    ? 'Bearer realm="tidegate"'
    : 'Bearer realm="tidegate", error="invalid_token"';
}
