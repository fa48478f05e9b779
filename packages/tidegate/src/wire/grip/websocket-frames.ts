import { Buffer } from 'node:buffer';
import { TidegateError } from '../../kernel/index.ts';
import { parameterOf, parseElements } from './header-parameters.ts';

/** What the gateway offers to origins in Sec-WebSocket-Extensions. */
export const GRIP_EXTENSION = 'grip';

const FIELD = 'Sec-WebSocket-Extensions';
const DEFAULT_PREFIX = 'm:';
const CONTROL_PREFIX = Buffer.from('c:', 'latin1');

/** What begins the frames of an origin that are for the client. */
export interface MessagePrefix {
  readonly bytes: Buffer;
}

/**
 * The prefix that an origin has agreed on by its Sec-WebSocket-Extensions; null if it has not accepted `grip`, and its frames
 * are the client's as they are.
 * @param values of the field, one for each line
 * @throws TidegateError grip_instruct_invalid
 */
export function parseGripExtension(values: readonly string[]): MessagePrefix | null {
  const accepted = values
    .flatMap((value) => parseElements(FIELD, value))
    .filter(({ value }) => value.toLowerCase() === GRIP_EXTENSION);
  if (accepted.length === 0) return null;
  if (accepted.length > 1) {
    throw new TidegateError('grip_instruct_invalid', `${FIELD} accepts ${GRIP_EXTENSION} more than once.`);
  }
  const prefix = parameterOf(accepted[0], 'message-prefix') ?? DEFAULT_PREFIX;
  return { bytes: Buffer.from(prefix, 'utf8') };
}

/** What a frame of an origin is: for the client, a control message (the JSON of one), or for nobody. */
export type OriginFrame =
  | { readonly kind: 'message'; readonly content: Buffer }
  | { readonly kind: 'control'; readonly json: Buffer }
  | { readonly kind: 'none' };

const NONE: OriginFrame = { kind: 'none' };

/** Tells what a frame is. Control messages are text; they go first, so that with an empty prefix they are still found. */
export function readOriginFrame(
  type: 'text' | 'binary',
  payload: Buffer,
  { bytes: prefix }: MessagePrefix,
): OriginFrame {
  if (type === 'text' && startsWith(payload, CONTROL_PREFIX)) {
    return { kind: 'control', json: payload.subarray(CONTROL_PREFIX.length) };
  }
  return startsWith(payload, prefix) ? { kind: 'message', content: payload.subarray(prefix.length) } : NONE;
}

function startsWith(payload: Buffer, prefix: Buffer): boolean {
  return payload.length >= prefix.length && payload.compare(prefix, 0, prefix.length, 0, prefix.length) === 0;
}
