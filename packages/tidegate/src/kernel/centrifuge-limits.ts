import { KIB, type LimitEntry, limit, MIB, SECOND } from './limit-entry.ts';

/** The limits of connections of the Centrifuge protocol, and of who is present. */
export const CENTRIFUGE_LIMITS = {
  centrifugeSubscriptionsMax: limit(512, 1, 100_000, 'Channels of one Centrifuge client.'),
  centrifugeCommandsPendingMax: limit(
    16_384,
    1,
    1_000_000,
    'Commands of one Centrifuge client that wait for earlier ones; beyond this it is disconnected as slow.',
  ),
  centrifugeCommandBytesPendingMax: limit(
    4 * MIB,
    1 * KIB,
    256 * MIB,
    'The same in bytes; a single larger message from it is still taken.',
  ),
  centrifugeForwardedBytesMax: limit(
    64 * MIB,
    1 * KIB,
    4096 * MIB,
    'Commands on their way to the process that has the connection; beyond this they are refused. A single larger request is still taken.',
  ),
  centrifugeOutputBytesMax: limit(
    1 * MIB,
    1 * KIB,
    256 * MIB,
    'Replies and events that a Centrifuge client does not read; beyond this it is disconnected as slow.',
  ),
  centrifugePublicationsMax: limit(
    512,
    1,
    100_000,
    'Publications in one reply; a larger recovery goes on as pushes, a longer history as pages.',
  ),
  centrifugeReplyBytesMax: limit(256 * KIB, 1 * KIB, 64 * MIB, 'The same in bytes.'),
  centrifugeDeltaBytesMax: limit(
    128 * KIB,
    0,
    16 * MIB,
    'Two publications of which a delta is made: it takes time in proportion to them.',
  ),
  centrifugePresenceMembersMax: limit(10_000, 1, 1_000_000, 'Members in one reply; beyond, only numbers.'),
  centrifugeExpiryGraceMs: limit(25 * SECOND, 0, 600 * SECOND, 'Time to replace a token that has expired.'),
  presenceMembersMax: limit(
    1_000_000,
    1,
    100_000_000,
    'Memberships in all channels together; beyond this, newcomers are not listed.',
  ),
} as const satisfies Record<string, LimitEntry>;
