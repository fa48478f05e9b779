import type { Buffer } from 'node:buffer';
import {
  type Channels,
  type EndReason,
  type FrameEncoder,
  type Sink,
  type StartPosition,
  type StreamPosition,
  type Subscription,
  singlePosition,
} from '../../channels/index.ts';
import { TidegateError } from '../../kernel/index.ts';
import { forEachEntry } from './page-encoder.ts';

/** What is to be read of a channel. */
export interface PageRequest {
  readonly channel: string;
  readonly from: StartPosition;
  readonly encoder: FrameEncoder;
  readonly countMax: number;
  /** The first publication is taken whatever its size, or else a large one could never be had. */
  readonly bytesMax: number;
  /** Publications from this offset on are not wanted; Infinity if all are. */
  readonly beforeOffset: number;
  /** Which ones to keep where the bounds do not let all through. */
  readonly keep: 'first' | 'last';
  /** Whether what is no longer there is passed over, or makes the page useless. */
  readonly gaps: 'passed' | 'refused';
}

/** What was stored of a channel when it was asked for. */
export interface Page {
  readonly publications: readonly Buffer[];
  /** The position after them; null if the channel reads several partitions. */
  readonly next: StreamPosition | null;
}

/** Called once, never before `readPage` returns: with the page, with `gap` if it was to have none and has, or with an error. */
export type PageCallback = (page: Page | 'gap' | TidegateError) => void;

/**
 * Reads what is stored of a channel from a position on, up to the bounds.
 * @throws TidegateError what `Channels.subscribe` throws
 */
export function readPage(channels: Channels, request: PageRequest, done: PageCallback): void {
  const reader = new PageReader(request, done);
  reader.begin(
    channels.subscribe({
      channels: [request.channel],
      from: request.from,
      encoder: request.encoder,
      sink: reader,
      slowPolicy: 'resume',
      protocol: 'centrifuge',
      permission: 'history',
      gapEnds: request.gaps === 'refused',
    }),
  );
}

class PageReader implements Sink {
  readonly #request: PageRequest;
  #done: PageCallback | null;
  #subscription: Subscription | null = null;
  readonly #publications: Buffer[] = [];
  #bytes = 0;
  #lastOffset = 0;

  constructor(request: PageRequest, done: PageCallback) {
    this.#request = request;
    this.#done = done;
  }

  begin(subscription: Subscription): void {
    this.#subscription = subscription;
  }

  write(bytes: Buffer): boolean {
    if (this.#done === null) return false;
    if (forEachEntry(bytes, (publication, offset) => this.#take(publication, offset))) return true;
    // What was not taken is read again, from the last that was.
    this.#finish(this.#position(this.#lastOffset));
    return false;
  }

  #take(publication: Buffer, offset: number): boolean {
    const { countMax, bytesMax, beforeOffset, keep } = this.#request;
    if (keep === 'last' && offset < beforeOffset) {
      this.#takeLast(publication);
      return true;
    }
    const isFirst = this.#publications.length === 0;
    const fits = isFirst || this.#bytes + publication.length <= bytesMax;
    if (!fits || this.#publications.length >= countMax || offset >= beforeOffset) return false;
    this.#publications.push(publication);
    this.#bytes += publication.length;
    this.#lastOffset = offset;
    return true;
  }

  #takeLast(publication: Buffer): void {
    const { countMax, bytesMax } = this.#request;
    const kept = this.#publications;
    kept.push(publication);
    this.#bytes += publication.length;
    while (kept.length > countMax || (kept.length > 1 && this.#bytes > bytesMax)) {
      this.#bytes -= kept.shift()?.length ?? 0;
    }
  }

  caughtUp(): void {
    this.#finish(this.#position(null));
  }

  ended(reason: EndReason): void {
    const done = this.#done;
    this.#done = null;
    if (reason === 'gap') done?.('gap');
    else done?.(new TidegateError(reason === 'draining' ? 'draining' : 'internal'));
  }

  #position(offset: number | null): StreamPosition | null {
    const end = singlePosition(this.#subscription?.cursor() ?? '');
    return end === null || offset === null ? end : { epoch: end.epoch, offset };
  }

  #finish(next: StreamPosition | null): void {
    const done = this.#done;
    this.#done = null;
    this.#subscription?.close();
    done?.({ publications: this.#publications, next });
  }
}
