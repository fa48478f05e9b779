import type { ChannelFeed } from './channel-feed.ts';
import type { AskedAt } from './hold-channels.ts';
import type { HoldContext } from './hold-context.ts';
import type { StreamFrame } from './hold-frames.ts';
import { lastIdField } from './last-ids.ts';
import type { LinkFetch, LinkReceiver } from './link-task.ts';
import type { GripRoute } from './port.ts';

export interface NextFetchOptions {
  /** The Host of the origin. */
  readonly authority: string;
  /** In origin form. */
  readonly target: string;
  /** Those of the hold, shut. */
  readonly feeds: readonly ChannelFeed<StreamFrame>[];
  readonly route: GripRoute;
  readonly context: HoldContext;
  readonly receiver: LinkReceiver;
}

/** A next link that is being fetched, once it is known what the client has. */
export class NextFetch implements LinkFetch {
  /** Where the client is in each channel, and what the origin was told of it. */
  readonly asked = new Map<string, AskedAt>();
  readonly #options: NextFetchOptions;
  #fetch: LinkFetch | null = null;
  #unknown = 1;
  #isAborted = false;

  constructor(options: NextFetchOptions) {
    this.#options = options;
  }

  start(): void {
    const { feeds, context } = this.#options;
    for (const feed of feeds) {
      const { name, channel } = feed.options;
      const { cursor } = feed;
      this.asked.set(name, { id: feed.lastId, cursor });
      if (feed.knowsLastId) continue;
      this.#unknown++;
      context.lastIds.find(channel, cursor, (id) => {
        if (id !== null) this.asked.set(name, { id, cursor });
        this.#known();
      });
    }
    this.#known();
  }

  #known(): void {
    if (--this.#unknown > 0 || this.#isAborted) return;
    const { authority, target, route, context, receiver } = this.#options;
    this.#fetch = context.links.fetch({ authority, target, lasts: lastFields(this.asked) }, route, receiver);
  }

  pause(): void {
    this.#fetch?.pause();
  }

  resume(): void {
    this.#fetch?.resume();
  }

  abort(): void {
    this.#isAborted = true;
    this.#fetch?.abort();
  }
}

/** The values of Grip-Last for what the client has. */
export function lastFields(asked: ReadonlyMap<string, AskedAt>): readonly string[] {
  return [...asked].flatMap(([name, { id }]) => (id === null ? [] : (lastIdField(name, id) ?? [])));
}
