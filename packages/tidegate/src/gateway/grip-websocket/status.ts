import type { EndReason } from '../../channels/index.ts';
import type { TidegateError } from '../../kernel/index.ts';
import { CLOSE } from '../../wire/websocket/index.ts';

/** What the client missed cannot be made up for: the same code as on WebSockets without an origin. */
export const CLOSE_GAP = 4410;
const CLOSE_TOO_SLOW = 4408;
const CLOSE_UNAUTHORIZED = 4401;

/** The close code when a subscription ends, which a client cannot be told in any other way. */
export const END_CLOSE: Readonly<Record<EndReason | 'id_unknown', number>> = {
  draining: CLOSE.serviceRestart,
  topics_changed: CLOSE.serviceRestart,
  gap: CLOSE_GAP,
  id_unknown: CLOSE_GAP,
  too_slow: CLOSE_TOO_SLOW,
  expired: CLOSE_UNAUTHORIZED,
  revoked: CLOSE_UNAUTHORIZED,
  failed: CLOSE.internalError,
};

/** The close code when the origin is the reason: come again later, or somebody has to correct something first. */
export function closeCodeOf({ entry }: TidegateError): number {
  return entry.retryable ? CLOSE.tryAgainLater : CLOSE.internalError;
}

/** The status of a handshake that was accepted. */
export const SWITCHED = 101;
