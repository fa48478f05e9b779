import type { Failure } from './failure.ts';
import type { FeedNews } from './feed-messages.ts';
import type { LiveResource } from './live-resource.ts';
import type { RoutedPath } from './port.ts';
import type { Place, Subscriber } from './subscriber.ts';
import { NO_VERSION } from './version-ring.ts';

/** Another process that follows a value of this one, for all of its own clients who do. */
export class LiveFeed implements Subscriber, Place {
  readonly number: number;
  version = NO_VERSION;
  told: Failure | null = null;
  readonly #resource: LiveResource;
  readonly #known: string;
  /** There is something to fetch by `news`. */
  readonly #hasNews: (feed: LiveFeed) => void;

  /** @param known the id of the version that the other process has; empty for none */
  constructor(number: number, resource: LiveResource, known: string, hasNews: (feed: LiveFeed) => void) {
    this.number = number;
    this.#resource = resource;
    this.#known = known;
    this.#hasNews = hasNews;
  }

  /** To be called once. */
  begin(): void {
    this.#resource.enter(this);
  }

  use(path: RoutedPath): void {
    this.#resource.use(path);
  }

  /** Nobody there follows the value any more. */
  end(): void {
    this.#resource.leave(this);
  }

  /** What brings the other process to the present, from where this brought it before. */
  news(): FeedNews {
    const { ring, value, failure, originTag: tag } = this.#resource;
    const steps = value === null ? [] : ring.since(this.version);
    this.version = ring.current;
    this.told = failure;
    return { feed: this.number, failure, tag, steps, text: value?.text ?? '' };
  }

  // --- The resource's side. ---

  ready(): void {
    this.version = this.#resource.placeOf(this.#known);
    // Also without a value: it is for the other process to say that nobody waits for one.
    this.#resource.follow(this);
    this.#hasNews(this);
  }

  changed(): void {
    this.#hasNews(this);
  }

  /** The other process ends its own clients. */
  draining(): void {
    this.end();
  }
}
