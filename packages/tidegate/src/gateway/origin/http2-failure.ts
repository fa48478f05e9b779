import { constants } from 'node:http2';
import { TidegateError } from '../../kernel/index.ts';
import type { OriginFailure } from './exchange.ts';

/** A stream that has ended before its answer was complete. */
export interface EndedStream {
  /** RFC 9113, section 7. */
  readonly code: number | undefined;
  /** What the library says of it. */
  readonly error: Error | null;
  /** It was never begun, or the origin says that it has not looked at it. */
  readonly isUnseen: boolean;
  /** `gone_silently`: an answer had come on it before, and not a byte since this request. */
  readonly connection: 'open' | 'gone' | 'gone_silently';
  readonly answer: 'none' | 'begun';
}

/** The names of RFC 9113, section 7, by number. */
const NAMES: readonly string[] = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];

/** Codes that say that somebody has broken a rule; the library says so of an origin in the same way as an origin of us. */
const BREACHES: ReadonlySet<number> = new Set([
  constants.NGHTTP2_PROTOCOL_ERROR,
  constants.NGHTTP2_FLOW_CONTROL_ERROR,
  constants.NGHTTP2_FRAME_SIZE_ERROR,
  constants.NGHTTP2_COMPRESSION_ERROR,
]);

/** Why there is no answer, and how far the request got. */
export function failureOf({ code = 0, error, isUnseen, connection, answer }: EndedStream): OriginFailure {
  const cause = error === null ? {} : { cause: error };
  if (answer === 'none' && (isUnseen || code === constants.NGHTTP2_REFUSED_STREAM)) {
    // RFC 9113, section 8.7: such a request was not processed, and may be made again whatever it is.
    const detail = 'The origin did not take the request up.';
    return { error: new TidegateError('upstream_reset', detail, cause), reached: 'nothing' };
  }
  if (BREACHES.has(code)) {
    const detail = `The stream ended with ${NAMES[code] ?? code}.`;
    return { error: new TidegateError('upstream_malformed', detail, cause), reached: 'origin' };
  }
  const begun = answer === 'begun' ? 'The answer had begun.' : 'No answer had come.';
  const detail =
    connection === 'open' ? `The origin reset the stream with ${NAMES[code] ?? code}. ${begun}` : begun;
  return {
    error: new TidegateError('upstream_reset', detail, cause),
    reached: connection === 'gone_silently' && answer === 'none' ? 'idle_connection' : 'origin',
  };
}
