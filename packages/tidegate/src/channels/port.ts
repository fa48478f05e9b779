import type { ByteWriter, TidegateError } from '../kernel/index.ts';

/** An event that is offered: CloudEvents attributes, a channel and data. Everything but channel and data may be left out. */
export interface PublishedEvent {
  readonly channel: string;
  /** Null is a tombstone in a compacted topic, and an event without data elsewhere. */
  readonly data: Uint8Array | null;
  /** What is known about the data: `json` and `text` were checked by the edge. */
  readonly dataKind: 'binary' | 'text' | 'json';
  /** CloudEvents attributes (`id`, `source`, `type`, `subject`, `time`, `datacontenttype`, `dataschema`, extensions), all as strings. */
  readonly attributes: readonly (readonly [name: string, value: string])[];
  /** The id if the client supplied it, which makes a retry recognisable; null if not. */
  readonly clientId: string | null;
  /**
   * How some protocols are to show the event, in a form that only they read; told to nobody else. By default each renders the data.
   */
  readonly renderings?: string;
  /**
   * `control` acts on the connections that are subscribed when it is published, through protocols that take it, and is invisible to
   * history, to those who resume and to all other protocols. Default: `data`.
   */
  readonly kind?: 'data' | 'control';
  /**
   * The CloudEvents source: the second half of the identity. Empty where the client gave none; then the credential stands in, if there
   * is one.
   */
  readonly identitySource: string;
}

/** Where an event was stored. */
export interface PublishReceipt {
  readonly channel: string;
  readonly id: string;
  /** The position after the event: a subscriber that resumes from it sees what came later. */
  readonly cursor: string;
  /** The event was published before, within the window; the receipt is the first one's. */
  readonly duplicate: boolean;
}

/** Called once per publish, with one outcome per event, in order. */
export type PublishCallback = (outcomes: readonly (PublishReceipt | TidegateError)[]) => void;

/** Where a subscription begins, parsed: see `parsePosition`. */
export type StartPosition =
  | { readonly kind: 'latest' }
  | { readonly kind: 'earliest' }
  /** `before`, an offset, is for one channel without wildcards: the last ones before it. */
  | { readonly kind: 'last'; readonly count: number; readonly before?: number }
  | { readonly kind: 'time'; readonly timeMs: number }
  | { readonly kind: 'cursor'; readonly cursor: string }
  /**
   * The next offset of the one partition that the subscription reads, for protocols that know no cursors; a gap if it reads several.
   * An empty epoch stands for whichever the topic has.
   */
  | { readonly kind: 'offset'; readonly epoch: string; readonly offset: number };

/** What a subscription rests on: a position, or everything that has been acknowledged so far, wherever it was published; null for nothing of that kind. */
export type Footing = StartPosition | 'everything' | null;

/** Why messages are missing. */
export type GapReason =
  /** The cursor lies before what the topic still keeps. */
  | 'below_retention'
  /** The topic was deleted and created anew since. */
  | 'other_epoch'
  /** The cursor lies beyond the end: the log lost its tail, or was replaced. */
  | 'beyond_end'
  /** Stored records are damaged, or cannot be encoded. */
  | 'damaged'
  /** The cursor belongs to another channel. */
  | 'other_channel'
  /** The subscriber was too slow and has the policy `drop`. */
  | 'conflated';

/** Told to a subscriber instead of silence: what lies between its position and `cursor` cannot be delivered. */
export interface Gap {
  readonly reason: GapReason;
  /** The first position that there is; reading goes on from it. */
  readonly cursor: string;
}

/**
 * A record as the subscribers of one channel see it. A flyweight: valid only during the call that hands it over.
 */
export interface Message {
  /** The full channel name. */
  readonly channel: string;
  /** The position after this message. */
  readonly cursor: string;
  /** The position of the record in its partition. */
  readonly offset: number;
  /** The event's id: as published, or derived from the position. */
  readonly id: string;
  readonly timestampMs: number;
  readonly dataKind: 'binary' | 'text' | 'json';
  /** False for an event without data (a tombstone). */
  readonly hasData: boolean;
  /** The data is `bytes[dataStart, dataEnd)`. */
  readonly bytes: Uint8Array;
  readonly dataStart: number;
  readonly dataEnd: number;
  /** The value of a CloudEvents attribute as it was published, or undefined. */
  attribute(name: string): string | undefined;
  /** How some protocols are to show it, as it was published; undefined if nothing was said. */
  readonly renderings: string | undefined;
  /** All published attributes, in the order of publishing. */
  attributes(): readonly (readonly [name: string, value: string])[];
}

/**
 * Turns messages into the bytes of one protocol. Encoders whose `key` is equal produce equal bytes, so that the bytes
 * are made once for all subscribers of a channel that share it. An encoder keeps nothing between calls: the hub has the
 * bytes of several channels under way at once, each in a writer of its own that is empty when `begin` is called.
 */
export interface FrameEncoder {
  readonly key: string;
  /** Called before the messages of one flush; for framing around them, such as the head of an HTTP chunk. */
  begin(out: ByteWriter): void;
  message(message: Message, out: ByteWriter): void;
  gap(gap: Gap, out: ByteWriter): void;
  /**
   * Sent when nothing else was for a while. `cursor` is the current position, for refreshing what the client holds; empty
   * if it has not moved since the client was last told.
   */
  keepAlive(cursor: string, out: ByteWriter): void;
  end(out: ByteWriter): void;
  /** `taken`: the sinks have `control`. Default: `skipped`, as if control records were not there. */
  readonly controls?: 'taken' | 'skipped';
}

/** Why the hub ended a subscription. */
export type HubEndReason =
  | 'draining'
  | 'too_slow'
  | 'gap'
  /** Topics came or went, so that the channels are stored elsewhere now: resuming goes on there. */
  | 'topics_changed'
  /** The credential that it rested on was revoked, or now allows something else. */
  | 'revoked'
  /** The sink threw, or the log cannot be read. */
  | 'failed';

/** Why a subscription was ended by the server. */
export type EndReason =
  | HubEndReason
  /** The credential that it rested on has expired. */
  | 'expired';

/** The edge's end of a subscription: takes encoded bytes. */
export interface Sink {
  /**
   * Hands over the bytes of `messages` messages, which may be shared with other sinks. Returns false if the transport holds more
   * than it could send: nothing more comes until `Subscription.drained` is called.
   */
  write(bytes: Buffer, messages: number): boolean;
  /** What a control record says, in its place among the messages. Only of those that were stored since the subscription is there: see `SubscribeRequest.controlsFrom`. */
  control?(text: string): void;
  /**
   * Everything that was stored when the subscription began has been handed over. Called once, before anything newer comes and
   * never before `subscribe` returns; for a subscription that has nothing to catch up with, in the turn that follows.
   */
  caughtUp?(): void;
  /**
   * The credential that the subscription rests on ends at `expiresMs` (milliseconds since the Unix epoch), and the subscription with
   * it. Called once, some time before, between two calls of `write`; for sinks whose clients can be told.
   */
  expiring?(expiresMs: number): void;
  /** The server ends the subscription; nothing more comes. */
  ended(reason: EndReason): void;
}

/** What happens to a subscriber that does not keep pace: read on from the log later, skip to the latest per key, or be closed. */
export type SlowPolicy = 'resume' | 'drop' | 'close';

export interface SubscribeRequest {
  /** Channel names or patterns; `+` stands for one segment, a final `#` for the rest. */
  readonly channels: readonly string[];
  readonly from: StartPosition;
  readonly encoder: FrameEncoder;
  readonly sink: Sink;
  readonly slowPolicy: SlowPolicy;
  /** The protocol's name, for the metrics: one of a closed set. */
  readonly protocol: string;
  /** End the subscription with `gap` instead of encoding a gap, for protocols that cannot say it in band. */
  readonly gapEnds?: boolean;
  /**
   * A cursor: control records from there on are told, for a subscription that takes the place of another of the same connection, which was told those before it.
   * Where the cursor leads nowhere, and by default: those that are stored from now on.
   */
  readonly controlsFrom?: string;
  /** What it takes to be allowed: reading pages of history is another thing than subscribing. Default: `subscribe`. */
  readonly permission?: 'subscribe' | 'history';
}

export interface Subscription {
  /** The transport can take more. */
  drained(): void;
  /** The position after what was handed to the sink. */
  cursor(): string;
  /** Ends it from the subscriber's side. Nothing is handed over any more. */
  close(): void;
}

/** Takes events to the log. */
export interface EventPublisher {
  /**
   * Stores each event by itself: one that is refused does not hold up the others. Order per channel is the order of the calls.
   * `protocol` is the protocol's name, for the metrics: one of a closed set.
   */
  publish(events: readonly PublishedEvent[], protocol: string, done: PublishCallback): void;
}

/** Who listens now, for publishers that want to know. */
export interface Receivers {
  /** How many subscriptions of this process want what is published to a channel. */
  count(channel: string): number;
}

/** The hub: what edges publish to and subscribe at. */
export interface Channels extends EventPublisher {
  /**
   * To be called before subscribing to `channels` by a position that another process of the server may have given out, and before reading what is stored
   * now: `ready` is called once this process has heard of it. At once in the process that owns the log, which does not ask for `footing`; in another also later,
   * so that a position that is ahead of what it has heard does not count as one that never was.
   */
  reach(channels: readonly string[], footing: () => Footing, ready: () => void): void;
  /**
   * Begins to hand over messages: those from `from` on that are stored, then those that come. Never before `subscribe` returns.
   * @throws TidegateError channel_invalid, channel_reserved, position_invalid, subscription_too_wide
   */
  subscribe(request: SubscribeRequest): Subscription;
  /** Ends every subscription with `draining`, and refuses new ones. */
  drain(): void;
}
