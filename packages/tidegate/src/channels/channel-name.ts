import { Buffer } from 'node:buffer';
import { type Limits, TidegateError } from '../kernel/index.ts';

/** The wildcard that stands for exactly one segment. */
export const ONE_SEGMENT = '+';
/** The wildcard that stands for all remaining segments, none included. Only as the last segment. */
export const ALL_SEGMENTS = '#';

// Control characters (C0, DEL, C1), the line and paragraph separators, and halves of surrogate pairs, which have no UTF-8 form.
const UNPRINTABLE = /[\p{Cc}\u2028\u2029]|\p{Cs}/u;

/**
 * Refuses what is not a channel name at all: empty, unprintable, too long, or the server's own.
 * @throws TidegateError channel_invalid, channel_reserved
 */
function assertName(name: string, limits: Limits): void {
  if (name.length === 0) throw new TidegateError('channel_invalid', 'The name is empty');
  if (UNPRINTABLE.test(name)) {
    throw new TidegateError('channel_invalid', 'The name has a control character or is not valid Unicode');
  }
  // A UTF-16 unit takes at most three bytes, so that short names need no counting.
  if (name.length * 3 > limits.channelBytesMax && Buffer.byteLength(name) > limits.channelBytesMax) {
    throw new TidegateError('channel_invalid', `The name is longer than ${limits.channelBytesMax} bytes`);
  }
  if (name.charCodeAt(0) === 0x5f) throw new TidegateError('channel_reserved', `"${name}"`);
  let segments = 1;
  for (let at = name.indexOf('/'); at !== -1; at = name.indexOf('/', at + 1)) segments++;
  if (segments > limits.channelSegmentsMax) {
    throw new TidegateError(
      'channel_invalid',
      `The name has more than ${limits.channelSegmentsMax} segments`,
    );
  }
}

/** Whether the name has a segment that is `+` or `#`. Other uses of these characters are literal. */
export function hasWildcard(name: string): boolean {
  if (name.indexOf(ONE_SEGMENT) === -1 && name.indexOf(ALL_SEGMENTS) === -1) return false;
  return name.split('/').some((segment) => segment === ONE_SEGMENT || segment === ALL_SEGMENTS);
}

/**
 * Checks a name that is published to.
 * @throws TidegateError channel_invalid, channel_reserved, channel_not_publishable
 */
export function assertPublishable(name: string, limits: Limits): void {
  assertName(name, limits);
  if (hasWildcard(name)) throw new TidegateError('channel_not_publishable', `"${name}"`);
}

/**
 * Checks a name or pattern that is subscribed to.
 * @throws TidegateError channel_invalid, channel_reserved
 */
export function assertSubscribable(pattern: string, limits: Limits): void {
  assertName(pattern, limits);
  const segments = pattern.split('/');
  const early = segments.indexOf(ALL_SEGMENTS);
  if (early !== -1 && early !== segments.length - 1) {
    throw new TidegateError('channel_invalid', `In "${pattern}" the wildcard # is not the last segment`);
  }
}
