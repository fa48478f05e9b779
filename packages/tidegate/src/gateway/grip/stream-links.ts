import type { ChannelFeed } from './channel-feed.ts';
import { tellGone } from './gone-link.ts';
import type { AskedAt } from './hold-channels.ts';
import type { HoldContext } from './hold-context.ts';
import type { StreamFrame } from './hold-frames.ts';
import { type LinkBase, linkTarget } from './link-target.ts';
import type { LinkReceiver } from './link-task.ts';
import { NextFetch } from './next-fetch.ts';
import type { GripRoute } from './port.ts';

const NOWHERE: ReadonlyMap<string, AskedAt> = new Map();

/** The next links of one stream, one after the other. */
export class StreamLinks {
  readonly #base: LinkBase;
  readonly #route: GripRoute;
  readonly #context: HoldContext;
  #next: NextFetch | null = null;
  #hops = 0;

  constructor(base: LinkBase, route: GripRoute, context: HoldContext) {
    this.#base = base;
    this.#route = route;
    this.#context = context;
  }

  /** Something has happened, so that the origin may be asked again without suspicion. */
  trust(): void {
    this.#hops = 0;
  }

  /** Where the client was in each channel when the origin was asked last; once, as its answer is then settled. */
  takeAsked(): ReadonlyMap<string, AskedAt> {
    const asked = this.#next?.asked ?? NOWHERE;
    this.#next = null;
    return asked;
  }

  /** The client has gone: tells the origin by this link, if there is one. */
  left(goneLink: string | null): void {
    tellGone(goneLink, this.#base, this.#route, this.#context);
  }

  /**
   * A request for the link, to be started.
   * @param feeds of the stream, shut
   * @returns null if the origin's links do not end
   * @throws TidegateError grip_instruct_invalid: it leads elsewhere
   */
  fetch(uri: string, feeds: readonly ChannelFeed<StreamFrame>[], receiver: LinkReceiver): NextFetch | null {
    const route = this.#route;
    const context = this.#context;
    if (++this.#hops > context.limits.gripLinkHopsMax) {
      context.logger.warn({ link: uri, route: route.name }, 'The next links of a stream do not end');
      return null;
    }
    const { authority } = this.#base;
    const target = linkTarget(uri, this.#base);
    this.#next = new NextFetch({ authority, target, feeds, route, context, receiver });
    return this.#next;
  }
}
