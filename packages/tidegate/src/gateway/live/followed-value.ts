import type { FeedNews, FeedRequest } from './feed-messages.ts';
import type { FeedTaker, OwnerFeeds } from './owner-feeds.ts';
import type { RoutedPath } from './port.ts';
import type { ValueSource, ValueTaker } from './source.ts';

/** A value that the owner polls for this process: its versions are the owner's. */
export class FollowedValue implements ValueSource, FeedTaker {
  tag: string | null = null;
  readonly #feeds: OwnerFeeds;
  readonly #request: Omit<FeedRequest, 'pattern' | 'path' | 'known'>;
  readonly #taker: ValueTaker;
  #path: RoutedPath;
  /** The number of the feed; null while it is not started. */
  #feed: number | null = null;

  constructor(
    feeds: OwnerFeeds,
    request: Omit<FeedRequest, 'pattern' | 'path' | 'known'>,
    path: RoutedPath,
    taker: ValueTaker,
  ) {
    this.#feeds = feeds;
    this.#request = request;
    this.#path = path;
    this.#taker = taker;
  }

  /** Only the owner knows whether it is. */
  get isDue(): boolean {
    return this.#feed === null;
  }

  use(path: RoutedPath): void {
    if (path.rules === this.#path.rules) return;
    this.#path = path;
    if (this.#feed !== null) this.#feeds.use(this.#feed, path);
  }

  start(): void {
    if (this.#feed !== null) return;
    const { pattern, path } = this.#path;
    const known = this.#taker.value?.id ?? '';
    this.#feed = this.#feeds.open({ ...this.#request, pattern, path, known }, this);
  }

  stop(): void {
    if (this.#feed !== null) this.#feeds.close(this.#feed);
    this.#feed = null;
  }

  take({ failure, tag, steps, text }: FeedNews): void {
    this.tag = tag;
    const last = steps.at(-1);
    if (last === undefined) this.#taker.settled(failure);
    // Only who polls compares values.
    else this.#taker.changed({ id: last.id, text, json: null, isInexact: false }, steps, failure);
  }
}
