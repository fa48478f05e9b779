import { Buffer } from 'node:buffer';
import { EMPTY, type Line, lineJson } from '../../kernel/index.ts';
import { type FeedNews, type FeedRequest, type FeedWish, LAST, readFeedNews } from './feed-messages.ts';
import type { RoutedPath } from './port.ts';

/** Takes what comes by a feed. */
export interface FeedTaker {
  take(news: FeedNews): void;
}

/** What a worker gets of live values from the owner, which polls for all processes. `WorkerFeeds` is at the other end of the line. */
export class OwnerFeeds {
  readonly #line: Line;
  readonly #takers = new Map<number, FeedTaker>();
  #feeds = 0;
  /** What has come of the message that is under way. */
  #pieces: Buffer[] = [];

  constructor(line: Line) {
    this.#line = line;
    line.onAsked('live', (piece, answer) => {
      this.#take(piece);
      answer(EMPTY);
    });
  }

  /** Begins a feed, and returns its number. The taker gets the present as soon as it is known, and then what is new. */
  open(request: FeedRequest, taker: FeedTaker): number {
    const feed = ++this.#feeds;
    this.#takers.set(feed, taker);
    this.#tell({ kind: 'open', feed, ...request });
    return feed;
  }

  use(feed: number, { pattern, path }: RoutedPath): void {
    this.#tell({ kind: 'use', feed, pattern, path });
  }

  close(feed: number): void {
    this.#takers.delete(feed);
    this.#tell({ kind: 'close', feed });
  }

  #tell(wish: FeedWish): void {
    this.#line.tell('live', lineJson(wish));
  }

  #take(piece: Buffer): void {
    this.#pieces.push(piece.subarray(1));
    if (piece[0] !== LAST) return;
    const pieces = this.#pieces;
    this.#pieces = [];
    const news = readFeedNews(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
    // What was said of a feed before its end was known there is nobody's.
    this.#takers.get(news.feed)?.take(news);
  }
}
