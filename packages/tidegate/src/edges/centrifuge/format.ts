import type { Buffer } from 'node:buffer';
import { type FrameEncoder, hasWildcard, type Message } from '../../channels/index.ts';
import { ByteWriter, type Limits } from '../../kernel/index.ts';
import { encodeFrame, PING_FRAME } from '../../wire/websocket/index.ts';
import type { Carrier } from './carrier.ts';
import type { Codec, PublicationForm } from './codec.ts';
import { DeltaFrames } from './delta-frames.ts';
import { createPageEncoder } from './page-encoder.ts';
import type { Push } from './protocol.ts';

/** Whether offsets are told: see `PublicationForm`. */
export type Offsets = PublicationForm['offsets'];

/** A codec on a carrier: all that decides the bytes of a connection. There are as many as kinds of connections. */
export class Format {
  readonly codec: Codec;
  readonly carrier: Carrier;
  /** What reads messages for the lists in replies. */
  readonly pageEncoder: FrameEncoder;
  /** The same, and messages as they are handed over, for subscribers who take deltas. */
  readonly deltaPageEncoder: FrameEncoder;
  readonly deltas: DeltaFrames;
  /** Whether the server pings by empty replies, which the client answers by empty commands, or by frames of WebSocket. */
  readonly pings: 'replies' | 'frames';
  /** The server's ping. */
  readonly ping: Buffer;
  /** For the replies of the connection that is being served; empty between turns. */
  readonly replies = new ByteWriter();
  readonly #pushes = new ByteWriter(256);
  readonly #encoders: Readonly<Record<Offsets, FrameEncoder>>;
  #lastPush: Push | null = null;
  #lastPushBytes: Buffer | null = null;

  constructor(codec: Codec, carrier: Carrier, limits: Limits, pings: Format['pings'] = 'replies') {
    this.pings = pings;
    this.codec = codec;
    this.carrier = carrier;
    this.pageEncoder = createPageEncoder(codec);
    this.deltaPageEncoder = createPageEncoder(codec, 'delta');
    this.deltas = new DeltaFrames(codec, carrier, limits.centrifugeDeltaBytesMax);
    this.#encoders = {
      told: this.#createEncoder('told', null),
      untold: this.#createEncoder('untold', null),
    };
    this.ping =
      pings === 'frames'
        ? encodeFrame(PING_FRAME)
        : this.#single((out) => {
            if (codec.name === 'json') out.ascii('{}');
          });
  }

  /** What encodes the messages of a subscription. Shared by all subscribers, except for those of patterns. */
  encoderOf(channel: string, offsets: Offsets): FrameEncoder {
    return hasWildcard(channel) ? this.#createEncoder(offsets, channel) : this.#encoders[offsets];
  }

  /** The bytes of a push. Those of the push that was asked for last are kept, as everybody in a channel is told the same. */
  push(push: Push): Buffer {
    if (this.#lastPushBytes === null || !isSame(push, this.#lastPush)) {
      this.#lastPush = push;
      this.#lastPushBytes = this.#single((out) => this.codec.push(push, out));
    }
    return this.#lastPushBytes;
  }

  #single(write: (out: ByteWriter) => void): Buffer {
    const out = this.#pushes;
    const { carrier } = this;
    out.truncate(0);
    carrier.begin(out);
    const mark = carrier.open(out);
    write(out);
    carrier.close(out, mark);
    carrier.end(out);
    return out.take();
  }

  #createEncoder(offsets: Offsets, pattern: string | null): FrameEncoder {
    const { codec, carrier } = this;
    const form = { channel: pattern ?? '', offsets, data: 'plain' as const };
    const formOf = (message: Message): PublicationForm => {
      // One form serves all: encoders run one at a time.
      if (pattern === null) form.channel = message.channel;
      return form;
    };
    return {
      key: `centrifuge ${carrier.key} ${offsets}`,
      begin: carrier.begin,
      message(message, out) {
        const mark = carrier.open(out);
        codec.publicationPush(message, formOf(message), out);
        carrier.close(out, mark);
      },
      // Where messages are missing, the subscription ends, and the client learns of it by another push.
      gap() {},
      // The protocol has pings of its own.
      keepAlive() {},
      end: carrier.end,
    };
  }
}

/** Whether two pushes tell of the same somebody who joins or leaves: those come in great numbers. */
function isSame(push: Push, last: Push | null): boolean {
  if (last === null || (push.kind !== 'join' && push.kind !== 'leave') || last.kind !== push.kind)
    return false;
  return push.channel === last.channel && push.info === last.info;
}
