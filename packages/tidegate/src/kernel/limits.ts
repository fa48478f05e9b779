import { KIB, type LimitEntry, limit, MIB, SECOND } from './limit-entry.ts';

/**
 * Every limit of the server, in one place. The config file sets any of them under `limits:`; `docs/limits.md` lists
 * the same names, which a test checks, and each limit has a test that reaches it.
 */
export const LIMITS = {
  connectionsMax: limit(
    50_000,
    1,
    1_000_000,
    'Sockets are memory; beyond this, new connections get 503, and so do streams that HTTP/2 holds open beyond as many.',
  ),
  httpHeadBytesMax: limit(16 * KIB, 1 * KIB, 1 * MIB, 'A head is held in memory until it is complete.'),
  httpHeadersMax: limit(100, 10, 1000, 'Many tiny headers cost more than their bytes.'),
  httpTargetBytesMax: limit(8 * KIB, 256, 64 * KIB, 'Long targets are mistakes or attacks.'),
  httpPipelinedBytesMax: limit(
    64 * KIB,
    1 * KIB,
    16 * MIB,
    'Requests sent ahead wait in memory; past this the socket is not read.',
  ),
  httpHeadTimeoutMs: limit(
    10 * SECOND,
    100,
    600 * SECOND,
    'A head that trickles in holds a connection (slow loris).',
  ),
  httpBodyIdleTimeoutMs: limit(
    30 * SECOND,
    100,
    600 * SECOND,
    'A body that stops arriving holds a connection.',
  ),
  httpKeepAliveTimeoutMs: limit(
    75 * SECOND,
    100,
    3_600 * SECOND,
    'An unused connection is closed after this.',
  ),
  httpLingerTimeoutMs: limit(
    2 * SECOND,
    50,
    60 * SECOND,
    'After the last answer, input is discarded this long so that the client can read it.',
  ),
  http2StreamsMax: limit(
    100,
    1,
    10_000,
    'Requests and streams at a time on one HTTP/2 connection; a stream that stalls pins up to two flushes.',
  ),
  http2ResetsMax: limit(
    200,
    10,
    100_000,
    'HTTP/2 requests that a client may take back at once, and again each minute; each costs work and it nothing.',
  ),
  http2ControlFramesMax: limit(
    1000,
    10,
    1_000_000,
    'PING and SETTINGS frames of one HTTP/2 connection within 10 seconds; each must be answered.',
  ),
  http2StallTimeoutMs: limit(
    60 * SECOND,
    100,
    3_600 * SECOND,
    'An HTTP/2 stream whose window stays shut pins what waits for it.',
  ),
  chunkHeaderBytesMax: limit(256, 16, 4 * KIB, 'Chunk extensions carry nothing that we use.'),
  credentialBytesMax: limit(8 * KIB, 256, 64 * KIB, 'A token is decoded before anything is known about it.'),
  credentialsRememberedMax: limit(
    50_000,
    1,
    10_000_000,
    'Verified keys and tokens that are not verified again until they expire.',
  ),
  credentialFailuresMax: limit(
    20,
    1,
    1_000_000,
    'Invalid credentials from one address within the window, before it has to wait for the end of the window.',
  ),
  credentialFailureWindowMs: limit(
    60 * SECOND,
    SECOND,
    3_600 * SECOND,
    'How long invalid credentials count.',
  ),
  credentialNoticeMs: limit(30 * SECOND, 0, 3_600 * SECOND, "A credential's end is told this long ahead."),
  credentialClientsMax: limit(10_000, 1, 1_000_000, 'Addresses of which invalid credentials are counted.'),
  usageReportIntervalMs: limit(
    50,
    1,
    10 * SECOND,
    'How often a worker says what a limited credential was sent, so that all workers together keep to its rate of bytes.',
  ),
  jwksBytesMax: limit(256 * KIB, 1 * KIB, 16 * MIB, "An issuer's key set is held in memory whole."),
  jwksTimeoutMs: limit(5 * SECOND, 100, 60 * SECOND, 'An issuer that does not answer is asked again later.'),
  jwksRefreshMs: limit(
    600 * SECOND,
    SECOND,
    86_400 * SECOND,
    "How often an issuer's keys are fetched, whether anything asks for them or not.",
  ),
  jwksCooldownMs: limit(
    10 * SECOND,
    10,
    3_600 * SECOND,
    'How long tokens with unknown keys do not make the server ask their issuer again.',
  ),
  messageBytesMax: limit(1 * MIB, 1 * KIB, 256 * MIB, 'One message is held in memory whole.'),
  batchBytesMax: limit(16 * MIB, 1 * KIB, 1024 * MIB, 'A batch that is not NDJSON is held in memory whole.'),
  batchEventsMax: limit(10_000, 1, 1_000_000, 'One answer per event is held in memory.'),
  publishStreamBytesMax: limit(
    4 * MIB,
    64 * KIB,
    1024 * MIB,
    'Lines of one NDJSON stream that wait for the log; beyond this the client is not read.',
  ),
  eventAttributesBytesMax: limit(16 * KIB, 256, 1 * MIB, 'Attributes are repeated on every delivery.'),
  channelBytesMax: limit(512, 16, 1500, 'A channel name is a key in the log and in every cursor of it.'),
  channelSegmentsMax: limit(64, 1, 256, 'Wildcards are matched segment by segment.'),
  cursorBytesMax: limit(8 * KIB, 256, 64 * KIB, 'Cursors come from clients.'),
  subscriptionPartitionsMax: limit(
    64,
    1,
    1024,
    'A cursor names every partition that the subscription reads.',
  ),
  flushBytesMax: limit(64 * KIB, 1 * KIB, 16 * MIB, 'A stalled socket pins at most one flush.'),
  tailBytesMax: limit(
    1 * MIB,
    64 * KIB,
    256 * MIB,
    'Encoded bytes kept for each busy channel for subscribers that fall behind a little.',
  ),
  tailsBytesMax: limit(64 * MIB, 1 * MIB, 4096 * MIB, 'All encoded tails together.'),
  catchUpReadBytesMax: limit(
    256 * KIB,
    4 * KIB,
    16 * MIB,
    'What one subscriber that catches up reads in one turn.',
  ),
  catchUpTurnMs: limit(10, 1, 1000, 'How long all that catch up may hold one event-loop turn.'),
  pollWaitMsMax: limit(60 * SECOND, SECOND, 600 * SECOND, 'A long-poll holds a connection.'),
  pollMessagesMax: limit(1000, 1, 100_000, 'One answer is held in memory whole.'),
  pollBytesMax: limit(
    1 * MIB,
    4 * KIB,
    256 * MIB,
    'One answer is held in memory whole; a single larger message is still delivered.',
  ),
  keepAliveIntervalMs: limit(
    25 * SECOND,
    100,
    600 * SECOND,
    'Proxies close connections that are silent for a minute or less.',
  ),
  webSocketMessageBytesMax: limit(
    1 * MIB,
    1 * KIB,
    256 * MIB,
    'A message from a client is held in memory whole.',
  ),
  webSocketFramesMax: limit(1024, 1, 1_000_000, 'Fragments of one message from a client.'),
  webSocketPublishesPendingMax: limit(
    256,
    1,
    100_000,
    'Messages of one client that wait for the log; at this many it is not read.',
  ),
  webSocketPublishBytesPendingMax: limit(1 * MIB, 1 * KIB, 256 * MIB, 'The same in bytes.'),
  webSocketCloseTimeoutMs: limit(
    5 * SECOND,
    100,
    60 * SECOND,
    'How long a client may take to answer a close frame.',
  ),
  webSocketPongTimeoutMs: limit(60 * SECOND, SECOND, 600 * SECOND, 'A peer that answers no ping is gone.'),
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
  centrifugeChannelsBytesMax: limit(
    16 * MIB,
    1 * KIB,
    1024 * MIB,
    "Names of channels in one answer of the API's method channels, which is held in memory whole; beyond, it is refused.",
  ),
  centrifugeExpiryGraceMs: limit(25 * SECOND, 0, 600 * SECOND, 'Time to replace a token that has expired.'),
  presenceMembersMax: limit(
    1_000_000,
    1,
    100_000_000,
    'Memberships in all channels together; beyond this, newcomers are not listed.',
  ),
  presenceListsAskedMax: limit(
    16,
    1,
    1000,
    'Lists of members, and lists of channels, that a worker asks the owner for at a time; those who ask for more wait.',
  ),
  appendBytesPendingMax: limit(
    64 * MIB,
    1 * MIB,
    4096 * MIB,
    'Appends that wait for the disk; beyond this, publishing fails.',
  ),
  batchStoredBytesMax: limit(
    128 * KIB,
    4 * KIB,
    16 * MIB,
    'Records stored under one checksum; a single larger record gets a batch of its own.',
  ),
  tailCacheBytesMax: limit(
    32 * MIB,
    1 * MIB,
    4096 * MIB,
    'Stored batches kept decoded for reads near the end.',
  ),
  readCacheBytesMax: limit(
    64 * MIB,
    1 * MIB,
    4096 * MIB,
    'Stored batches kept decoded for readers that catch up.',
  ),
  compactionKeysMax: limit(
    1_000_000,
    1000,
    64_000_000,
    'Keys that one pass of compaction holds in memory; what has more takes several passes.',
  ),
  memoryPartitionBytesMax: limit(
    16 * MIB,
    64 * KIB,
    4096 * MIB,
    'The ring of a partition of durability none.',
  ),
  idempotenceIdsMax: limit(1_000_000, 1, 16_000_000, 'Client-supplied ids remembered per topic.'),
  idempotenceWindowMs: limit(
    600 * SECOND,
    SECOND,
    86_400 * SECOND,
    'How long a client-supplied id is remembered.',
  ),
  topicsMax: limit(1000, 1, 10_000, 'Each topic costs memory and files.'),
  partitionsMax: limit(256, 1, 1024, 'Partitions of one topic.'),
  resourcesBytesMax: limit(
    4 * MIB,
    4 * KIB,
    8 * MIB,
    'All stored resources are in memory, and in one record of the log from time to time.',
  ),
  diskReserveBytes: limit(
    64 * MIB,
    0,
    1024 * 1024 * MIB,
    'Publishing stops while less is free, before the disk is full.',
  ),
  workerUnsentBytesMax: limit(
    256 * MIB,
    MIB,
    4096 * MIB,
    'What a worker has not read of what the owner tells it, or the owner of it; past this the worker is replaced.',
  ),
  workerSilenceTimeoutMs: limit(
    15 * SECOND,
    400,
    600 * SECOND,
    'A worker that does not answer for this long is replaced.',
  ),
  workerAnswerTimeoutMs: limit(
    SECOND,
    10,
    60 * SECOND,
    'How long what is asked of all workers, as their metrics are, waits for the slowest.',
  ),
  drainTimeoutMs: limit(10 * SECOND, 100, 600 * SECOND, 'How long ending the server may take.'),
} as const satisfies Record<string, LimitEntry>;

export type LimitName = keyof typeof LIMITS;

/** The limits in force. */
export type Limits = Readonly<Record<LimitName, number>>;

/** The defaults, with `overrides` in their place. */
export function resolveLimits(overrides: Partial<Limits> = {}): Limits {
  const limits: Record<string, number> = {};
  for (const [name, entry] of Object.entries(LIMITS)) limits[name] = entry.default;
  return Object.freeze(Object.assign(limits, overrides)) as Limits;
}
