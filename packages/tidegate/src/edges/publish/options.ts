import type { Limits } from '../../kernel/index.ts';

/** What surrounds an event in its JSON form: the names of members, quotes and braces. */
const SYNTAX_BYTES = 1024;

/**
 * The longest JSON form of one event that is read: one whose data has `messageBytesMax` bytes fits even in base64, which takes
 * four bytes for three.
 */
export function entryBytesMax(limits: Limits): number {
  const { messageBytesMax, eventAttributesBytesMax, channelBytesMax } = limits;
  return Math.ceil(messageBytesMax / 3) * 4 + eventAttributesBytesMax + channelBytesMax + SYNTAX_BYTES;
}
