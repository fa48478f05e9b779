import type { Buffer } from 'node:buffer';
import {
  type Channels,
  type FrameEncoder,
  hasWildcard,
  type Sink,
  type Subscription,
  singlePosition,
} from '../../channels/index.ts';
import { ByteReader } from '../../kernel/index.ts';
import { formatElement } from '../../wire/grip/index.ts';
import { readStreamFrame } from './hold-frames.ts';

/** Octets that a field value cannot have. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: They are what is looked for.
const BREAKS_LINE = /[\x00-\x08\x0a-\x1f\x7f]/;

/** `Grip-Last: channel; last-id=id`, without the name of the field. Null if it cannot be said in a field. */
export function lastIdField(channel: string, id: string): string | null {
  const value = formatElement(channel, [['last-id', id]]);
  return BREAKS_LINE.test(value) ? null : value;
}

/** Finds out what clients have, for holds that do not look at what they pass on. */
export class LastIds {
  readonly #channels: Channels;
  readonly #frames: FrameEncoder;
  /** Who waits for what is being looked up: after a hint, thousands ask for the same. */
  readonly #open = new Map<string, ((id: string | null) => void)[]>();

  /** @param frames which `readStreamFrame` reads */
  constructor(channels: Channels, frames: FrameEncoder) {
    this.#channels = channels;
    this.#frames = frames;
  }

  /**
   * The id of the last message of a channel before a position; null if there is none, or if the channel is a pattern, which has no last one.
   * `done` comes once, after this has returned.
   */
  find(channel: string, cursor: string, done: (id: string | null) => void): void {
    const position = singlePosition(cursor);
    if (position === null || hasWildcard(channel)) {
      queueMicrotask(() => done(null));
      return;
    }
    const key = `${cursor}\n${channel}`;
    const waiting = this.#open.get(key);
    if (waiting !== undefined) {
      waiting.push(done);
      return;
    }
    const all = [done];
    this.#open.set(key, all);
    const lookup = new Lookup(position.offset, (id) => {
      this.#open.delete(key);
      for (const each of all) each(id);
    });
    lookup.start(channel, this.#channels, this.#frames);
  }
}

class Lookup implements Sink {
  readonly #before: number;
  readonly #done: (id: string | null) => void;
  #subscription: Subscription | null = null;
  #isOver = false;

  constructor(before: number, done: (id: string | null) => void) {
    this.#before = before;
    this.#done = done;
  }

  start(channel: string, channels: Channels, frames: FrameEncoder): void {
    try {
      this.#subscription = channels.subscribe({
        channels: [channel],
        from: { kind: 'last', count: 1, before: this.#before },
        encoder: frames,
        sink: this,
        slowPolicy: 'resume',
        protocol: 'grip',
        gapEnds: true,
      });
    } catch {
      queueMicrotask(() => this.#finish(null));
    }
  }

  /** Only the first message is of interest: what follows came after the position. */
  write(bytes: Buffer): boolean {
    if (bytes.length === 0) return true;
    const { id, offset } = readStreamFrame(new ByteReader(bytes));
    this.#finish(offset < this.#before ? id : null);
    return true;
  }

  caughtUp(): void {
    this.#finish(null);
  }

  ended(): void {
    this.#finish(null);
  }

  #finish(id: string | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#subscription?.close();
    this.#done(id);
  }
}
