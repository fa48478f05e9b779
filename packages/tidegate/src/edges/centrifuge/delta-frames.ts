import { Buffer } from 'node:buffer';
import type { FrameEncoder } from '../../channels/index.ts';
import { ByteWriter } from '../../kernel/index.ts';
import type { Carrier } from './carrier.ts';
import type { Codec } from './codec.ts';
import { writeDelta } from './fossil.ts';

/*
 * What a delta is made of depends on what its subscriber had before, so that it cannot be in the bytes that all subscribers share. Messages
 * are handed over in parts instead, and made into frames for each subscriber:
 *
 *   entry = length of base (4 bytes, big endian), length of rest (4 bytes), base, rest
 */

const HEAD_BYTES = 8;
const REST_AT = 4;

/** The frames for one subscriber. */
export interface DeltaFlush {
  readonly bytes: Buffer;
  /** What the next delta is made from. */
  readonly last: Buffer | null;
}

/** Makes the frames of subscribers who take deltas. Those who are in step get the same ones. */
export class DeltaFrames {
  readonly encoder: FrameEncoder;
  readonly #codec: Codec;
  readonly #carrier: Carrier;
  readonly #bytesMax: number;
  readonly #out = new ByteWriter();
  readonly #delta = new ByteWriter();
  #lastChunk: Buffer | null = null;
  #lastBefore: Buffer | null = null;
  #lastFlush: DeltaFlush | null = null;

  /** @param bytesMax of what is more than this, together with what came before, no delta is made */
  constructor(codec: Codec, carrier: Carrier, bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#codec = codec;
    this.#carrier = carrier;
    this.encoder = createEntryEncoder(codec);
  }

  /** The frames of the messages of a chunk, for a subscriber that had `before` last; null if it had nothing. */
  make(channel: string, chunk: Buffer, before: Buffer | null): DeltaFlush {
    if (this.#lastFlush !== null && chunk === this.#lastChunk && isSame(before, this.#lastBefore))
      return this.#lastFlush;
    const flush = this.#make(channel, chunk, before);
    this.#lastChunk = chunk;
    this.#lastBefore = before;
    this.#lastFlush = flush;
    return flush;
  }

  #make(channel: string, chunk: Buffer, before: Buffer | null): DeltaFlush {
    const out = this.#out;
    out.truncate(0);
    this.#carrier.begin(out);
    let last = before;
    for (let at = 0; at < chunk.length; ) {
      const baseAt = at + HEAD_BYTES;
      const restAt = baseAt + chunk.readUInt32BE(at);
      at = restAt + chunk.readUInt32BE(at + REST_AT);
      const base = chunk.subarray(baseAt, restAt);
      const mark = this.#carrier.open(out);
      this.#push(channel, last, base, chunk.subarray(restAt, at));
      this.#carrier.close(out, mark);
      last = base;
    }
    this.#carrier.end(out);
    // A copy, so that it does not keep the whole chunk in memory.
    return { bytes: out.take(), last: last === before || last === null ? last : Buffer.from(last) };
  }

  #push(channel: string, before: Buffer | null, base: Buffer, rest: Buffer): void {
    const codec = this.#codec;
    // A delta costs time in proportion to both.
    if (before !== null && before.length + base.length <= this.#bytesMax) {
      const delta = this.#delta;
      delta.truncate(0);
      writeDelta(before, base, codec.name === 'json' ? 'characters' : 'bytes', delta);
      // One that is not shorter is of no use.
      if (delta.length < base.length) {
        codec.deltaPush(channel, delta.peek(), 'delta', rest, this.#out);
        return;
      }
    }
    codec.deltaPush(channel, base, 'whole', rest, this.#out);
  }
}

function isSame(one: Buffer | null, other: Buffer | null): boolean {
  if (one === other) return true;
  return one !== null && other !== null && one.equals(other);
}

function createEntryEncoder(codec: Codec): FrameEncoder {
  const form = { channel: '', offsets: 'told', data: 'delta' } as const;
  return {
    key: `centrifuge delta ${codec.name}`,
    begin() {},
    message(message, out) {
      const at = out.length;
      out.reserve(HEAD_BYTES);
      out.advance(HEAD_BYTES);
      codec.deltaBase(message, out);
      const restAt = out.length;
      codec.deltaRest(message, { ...form, channel: message.channel }, out);
      const bytes = out.reserve(0);
      bytes.writeUInt32BE(restAt - at - HEAD_BYTES, at);
      bytes.writeUInt32BE(out.length - restAt, at + REST_AT);
    },
    gap() {},
    keepAlive() {},
    end() {},
  };
}
