import { Buffer } from 'node:buffer';
import { type Limits, type Line, readLineJson, TidegateError } from '../../kernel/index.ts';
import { failureOfError } from './failure.ts';
import {
  type FeedNews,
  type FeedRequest,
  type FeedWish,
  LAST,
  MORE,
  writeFeedNews,
} from './feed-messages.ts';
import { LiveFeed } from './live-feed.ts';
import type { LiveResource } from './live-resource.ts';
import type { RoutedPath } from './port.ts';

/** Finds the value that a worker wants, or makes it. Throws a TidegateError if there can be none. */
export type FeedResource = (request: FeedRequest, path: RoutedPath) => LiveResource;

/** How much of a message is said at a time. */
const PIECE_BYTES = 64 * 1024;

/**
 * The feeds of one worker, for the process that polls. What has changed is said when the worker has read enough of what was said before, so that one
 * that lags behind misses versions, as a slow client does, and nothing piles up on its line.
 */
export class WorkerFeeds {
  readonly #line: Line;
  readonly #limits: Pick<Limits, 'liveForwardedBytesMax'>;
  readonly #resourceFor: FeedResource;
  readonly #feeds = new Map<number, LiveFeed>();
  /** Whose news are still to be said, the oldest first. */
  readonly #waiting = new Set<Pick<LiveFeed, 'news'>>();
  /** What is still to be said of the message under way. */
  #rest: Buffer | null = null;
  #unreadBytes = 0;
  #isGone = false;

  constructor(line: Line, limits: Pick<Limits, 'liveForwardedBytesMax'>, resourceFor: FeedResource) {
    this.#line = line;
    this.#limits = limits;
    this.#resourceFor = resourceFor;
    line.onTold('live', (message) => this.#take(readLineJson<FeedWish>(message)));
    line.onClosed(() => this.#gone());
  }

  #take(wish: FeedWish): void {
    // What the worker said last may be read after its end.
    if (this.#isGone) return;
    const feed = this.#feeds.get(wish.feed);
    switch (wish.kind) {
      case 'open':
        this.#open(wish.feed, wish);
        break;
      case 'use':
        feed?.use({ rules: wish, pattern: wish.pattern, path: wish.path });
        break;
      case 'close':
        this.#feeds.delete(wish.feed);
        if (feed === undefined) return;
        this.#waiting.delete(feed);
        feed.end();
    }
  }

  #open(number: number, request: FeedRequest): void {
    const { pattern, path, known } = request;
    try {
      const resource = this.#resourceFor(request, { rules: request, pattern, path });
      const feed = new LiveFeed(number, resource, known, (ready) => this.#hasNews(ready));
      this.#feeds.set(number, feed);
      feed.begin();
    } catch (error) {
      const refusal: FeedNews = {
        feed: number,
        // Whoever waits for it is refused, also if an older value is at hand: nothing would ever follow on it.
        failure: { ...failureOfError(TidegateError.from(error)), kind: 'final' },
        tag: null,
        steps: [],
        text: '',
      };
      this.#hasNews({ news: () => refusal });
    }
  }

  #hasNews(feed: Pick<LiveFeed, 'news'>): void {
    this.#waiting.add(feed);
    this.#say();
  }

  #say(): void {
    while (!this.#isGone && this.#unreadBytes < this.#limits.liveForwardedBytesMax) {
      if (this.#rest === null) {
        const next = this.#waiting.values().next();
        if (next.done === true) return;
        this.#waiting.delete(next.value);
        this.#rest = writeFeedNews(next.value.news());
      }
      const bytes = Math.min(PIECE_BYTES, this.#limits.liveForwardedBytesMax - this.#unreadBytes);
      const piece = this.#rest.subarray(0, bytes);
      this.#rest = piece.length < this.#rest.length ? this.#rest.subarray(bytes) : null;
      this.#unreadBytes += piece.length;
      const mark = Buffer.of(this.#rest === null ? LAST : MORE);
      this.#line.ask('live', Buffer.concat([mark, piece]), () => {
        this.#unreadBytes -= piece.length;
        this.#say();
      });
    }
  }

  #gone(): void {
    this.#isGone = true;
    this.#waiting.clear();
    this.#rest = null;
    for (const feed of this.#feeds.values()) feed.end();
    this.#feeds.clear();
  }
}
