import type { OriginRequest } from '../origin/exchange.ts';
import {
  type LinkContext,
  type LinkFetch,
  type LinkParticipant,
  type LinkReceiver,
  LinkTask,
  type LinkTaskHost,
} from './link-task.ts';
import type { GripRoute } from './port.ts';

/** What a link is asked for with. */
export interface LinkRequest {
  /** The Host of the origin. */
  readonly authority: string;
  /** In origin form. */
  readonly target: string;
  /** The values of Grip-Last: where the client is in each channel. */
  readonly lasts: readonly string[];
}

/**
 * Fetches links: a bounded number at a time, and those of which everything is the same once, the whole URI with its query and what the clients had last
 * included.
 */
export class LinkFetcher implements LinkTaskHost {
  readonly #context: LinkContext;
  /** Those that others can still join. */
  readonly #open = new Map<string, LinkTask>();
  readonly #running = new Set<LinkTask>();
  readonly #queue = new Set<LinkTask>();

  constructor(context: LinkContext) {
    this.#context = context;
  }

  /** Asks for a next link. What comes of it is told after this has returned. */
  fetch(link: LinkRequest, route: GripRoute, receiver: LinkReceiver): LinkFetch {
    const key = JSON.stringify([route.name, link]);
    const shared = this.#open.get(key);
    if (shared !== undefined) return shared.join(receiver);
    const task = new LinkTask(key, requestOf('GET', link, route), route, this, this.#context);
    this.#open.set(key, task);
    const participant = task.join(receiver);
    this.#soon(task);
    return participant;
  }

  /** Makes a request that is a client's own, in turn with the others. */
  repeat(request: OriginRequest, route: GripRoute, receiver: LinkReceiver): LinkFetch {
    const task = new LinkTask(null, request, route, this, this.#context);
    const participant = task.join(receiver);
    this.#soon(task);
    return participant;
  }

  /** Posts to a gone link, once; nobody waits for what becomes of it. */
  post(link: LinkRequest, route: GripRoute): void {
    const task = new LinkTask(null, requestOf('POST', link, route), route, this, this.#context);
    task.join({ head() {}, data() {}, ended() {}, failed() {} });
    this.#soon(task);
  }

  answering(task: LinkTask): void {
    if (task.key !== null && this.#open.get(task.key) === task) this.#open.delete(task.key);
  }

  rests(task: LinkTask): void {
    this.#queue.delete(task);
    if (this.#running.delete(task)) this.#startNext();
  }

  queue(task: LinkTask): void {
    this.#queue.add(task);
    this.#startNext();
  }

  alone(request: OriginRequest, route: GripRoute, participant: LinkParticipant): void {
    const task = new LinkTask(null, request, route, this, this.#context);
    task.adopt(participant);
    this.#soon(task);
  }

  /** In the next turn, with all that ask for the same in this one. */
  #soon(task: LinkTask): void {
    this.#queue.add(task);
    this.#context.clock.endOfTurn(() => this.#startNext());
  }

  #startNext(): void {
    for (const task of this.#queue) {
      if (this.#running.size >= this.#context.limits.gripLinkFetchesMax) return;
      this.#queue.delete(task);
      this.#running.add(task);
      task.start();
    }
  }
}

function requestOf(
  method: string,
  { authority, target, lasts }: LinkRequest,
  route: GripRoute,
): OriginRequest {
  const fields = ['Host', authority, ...route.gripFields(), ...lasts.flatMap((last) => ['Grip-Last', last])];
  return { method, target, fields, bodyBytes: 0, upgrade: null, expects: 'nothing' };
}
