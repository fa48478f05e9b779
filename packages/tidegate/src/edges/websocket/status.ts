import type { EndReason } from '../../channels/index.ts';
import { ERRORS, type ErrorCode } from '../../kernel/index.ts';
import { CLOSE } from '../../wire/websocket/index.ts';

/** Our own close codes: 4000 and the HTTP status that says the same (RFC 6455, section 7.4.2). docs/websocket.md lists them. */
export const CLOSE_REFUSED = 4400;
export const CLOSE_UNAUTHORIZED = 4401;
export const CLOSE_TOO_SLOW = 4408;
export const CLOSE_GAP = 4410;
export const CLOSE_LIMITED = 4429;

/** The close code of a subscription that the server ends. */
export const END_CLOSE: Readonly<Record<EndReason, number>> = {
  draining: CLOSE.serviceRestart,
  too_slow: CLOSE_TOO_SLOW,
  gap: CLOSE_GAP,
  topics_changed: CLOSE.serviceRestart,
  expired: CLOSE_UNAUTHORIZED,
  revoked: CLOSE_UNAUTHORIZED,
  failed: CLOSE.internalError,
};

/** The close code for a message from the client that could not be published, where it cannot be told in band. */
export function closeCodeOf(code: ErrorCode): number {
  if (code === 'draining' || code === 'log_closed') return CLOSE.serviceRestart;
  const { blame, retryable } = ERRORS[code];
  // The client may go on later, with what it has.
  if (blame === 'client' && retryable) return CLOSE_LIMITED;
  if (blame === 'client') return CLOSE_REFUSED;
  return retryable ? CLOSE.tryAgainLater : CLOSE.internalError;
}
