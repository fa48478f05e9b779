import { Buffer } from 'node:buffer';
import type { PresenceVisibility } from './presence.ts';

/*
 * What is said of presence on a line. A worker tells the owner, which counts these messages:
 *
 *   JOIN     visibility (byte: its place in VISIBILITIES), number of the membership (float64), member (blob), channel (text)
 *   LEAVE    number of the membership (float64)
 *   LISTEN   channel (text): somebody in the worker listens now
 *   UNLISTEN channel (text): nobody does any more
 *
 * It asks, and is answered with:
 *
 *   MEMBERS  most members that it takes (uint32), channel (text): TOO_MANY, or LISTED and the members (blobs)
 *   STATS    channel (text): clients (uint32), users (uint32)
 *   CHANNELS longest list that it takes, in bytes (float64): TOO_MANY, or LISTED and channel (text) and clients (uint32) of each
 *
 * The owner tells a worker of the channels in which it listens:
 *
 *   JOINED, LEFT   how many messages of this worker had been carried out before (float64), member (blob), channel (text)
 */

export const VISIBILITIES = [
  'listed_and_told',
  'listed',
  'told',
] as const satisfies readonly PresenceVisibility[];

export const JOIN = 1;
export const LEAVE = 2;
export const LISTEN = 3;
export const UNLISTEN = 4;

export const MEMBERS = 1;
export const STATS = 2;
export const CHANNELS = 3;

export const LISTED = 0;
export const TOO_MANY = 1;

/** How long a channel of the answer to CHANNELS is. */
export function channelEntryBytes(channel: string): number {
  return 4 + Buffer.byteLength(channel) + 4;
}

export const JOINED = 1;
export const LEFT = 2;
