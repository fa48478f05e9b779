import { type ErrorCode, TidegateError } from '../../kernel/index.ts';
import type { Result } from './protocol.ts';

/** An error of the protocol. `temporary` ones are worth a retry by the client itself. */
export interface ProtocolError {
  readonly code: number;
  readonly message: string;
  readonly retry: 'temporary' | 'useless';
}

const error = (code: number, message: string, retry: ProtocolError['retry'] = 'useless'): ProtocolError => ({
  code,
  message,
  retry,
});

/** The errors that replies carry, with Centrifuge's codes and words. */
export const ERROR = {
  internal: error(100, 'internal server error', 'temporary'),
  unauthorized: error(101, 'unauthorized'),
  unknownChannel: error(102, 'unknown channel'),
  permissionDenied: error(103, 'permission denied'),
  methodNotFound: error(104, 'method not found'),
  alreadySubscribed: error(105, 'already subscribed'),
  limitExceeded: error(106, 'limit exceeded'),
  badRequest: error(107, 'bad request'),
  notAvailable: error(108, 'not available'),
  tokenExpired: error(109, 'token expired'),
  expired: error(110, 'expired'),
  tooManyRequests: error(111, 'too many requests', 'temporary'),
  unrecoverablePosition: error(112, 'unrecoverable position'),
  tokenRevoked: error(113, 'token revoked'),
} as const;

/** Why a connection is ended. Clients come back after codes below 3500, and stay away after those from 3500 to 3999. */
export interface Disconnect {
  readonly code: number;
  readonly reason: string;
}

export const DISCONNECT = {
  shutdown: { code: 3001, reason: 'shutdown' },
  serverError: { code: 3004, reason: 'internal server error' },
  expired: { code: 3005, reason: 'connection expired' },
  subExpired: { code: 3006, reason: 'subscription expired' },
  slow: { code: 3008, reason: 'slow' },
  insufficientState: { code: 3010, reason: 'insufficient state' },
  forceReconnect: { code: 3011, reason: 'force reconnect' },
  noPong: { code: 3012, reason: 'no pong' },
  invalidToken: { code: 3500, reason: 'invalid token' },
  badRequest: { code: 3501, reason: 'bad request' },
  stale: { code: 3502, reason: 'stale' },
  forceNoReconnect: { code: 3503, reason: 'force disconnect' },
  connectionLimit: { code: 3504, reason: 'connection limit' },
} as const satisfies Record<string, Disconnect>;

/** Why a subscription is ended by the server. Clients subscribe again after codes from 2500 on. */
export const UNSUBSCRIBE = {
  server: { code: 2000, reason: 'server unsubscribe' },
  insufficientState: { code: 2500, reason: 'insufficient state' },
  expired: { code: 2501, reason: 'subscription expired' },
} as const satisfies Record<string, Disconnect>;

/** What a client is told of an error of ours. What is not listed is `internal`. */
const OF_CODE: Partial<Record<ErrorCode, ProtocolError>> = {
  channel_invalid: ERROR.badRequest,
  channel_not_publishable: ERROR.badRequest,
  channel_reserved: ERROR.permissionDenied,
  position_invalid: ERROR.unrecoverablePosition,
  subscription_too_wide: ERROR.limitExceeded,
  body_too_large: ERROR.limitExceeded,
  log_record_too_large: ERROR.limitExceeded,
  log_overloaded: ERROR.tooManyRequests,
  event_invalid: ERROR.badRequest,
  // Those of access.
  access_denied: ERROR.permissionDenied,
  credential_missing: ERROR.permissionDenied,
  credential_invalid: ERROR.permissionDenied,
  credential_revoked: ERROR.tokenRevoked,
  token_expired: ERROR.tokenExpired,
  credential_attempts_exceeded: ERROR.tooManyRequests,
  rate_exceeded: ERROR.tooManyRequests,
  quota_exceeded: ERROR.limitExceeded,
  issuer_unavailable: ERROR.internal,
};

export function protocolErrorOf(reason: unknown): ProtocolError {
  return OF_CODE[TidegateError.from(reason).code] ?? ERROR.internal;
}

/** The reply that carries an error. */
export function failure(reason: ProtocolError): Result {
  return { method: 'error', ...reason };
}
