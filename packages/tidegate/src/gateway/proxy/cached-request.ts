import type { Buffer } from 'node:buffer';
import { TidegateError } from '../../kernel/index.ts';
import type { HttpExchange, RelayedBody, RelayOwner } from '../../listeners/port.ts';
import type { CacheReceiver, CacheReply, CacheRequest, CacheTicket, RouteCache } from '../cache/index.ts';
import type { OriginExchange, OriginReceiver } from '../origin/exchange.ts';
import type { RouteRun } from '../route-run.ts';
import type { RouteHit } from '../routes/route-table.ts';
import { GripRequest } from './grip-request.ts';
import { originRequest } from './origin-request.ts';
import { type RequestContext, RoutedRequest } from './routed-request.ts';

/** A request by a route that caches: answered by the cache, by waiting for an answer that is on its way, or by the origin. */
export class CachedRequest implements CacheReceiver, RelayOwner {
  readonly #exchange: HttpExchange;
  readonly #hit: RouteHit;
  readonly #run: RouteRun;
  readonly #context: RequestContext;
  readonly #startedMs: number;
  #ticket: CacheTicket | null = null;
  #relayed: RelayedBody | null = null;
  /** Who holds the client, and how it keeps pace with the initial data. */
  #holder: OriginReceiver | null = null;
  #pace: HeldPace | null = null;
  #status = 0;
  #isWhole = false;

  constructor(exchange: HttpExchange, hit: RouteHit, run: RouteRun, context: RequestContext) {
    this.#exchange = exchange;
    this.#hit = hit;
    this.#run = run;
    this.#context = context;
    this.#startedMs = context.clock.monotonicMs();
  }

  /** @param cache of the route */
  start(cache: RouteCache): void {
    const lookup = cache.lookup(this.#cacheRequest());
    switch (lookup.kind) {
      case 'reply':
        this.head(lookup.reply);
        if (lookup.revalidation !== null) this.#route({ fetch: lookup.revalidation, client: 'none' }).start();
        break;
      case 'fetch':
        this.#wait(lookup.ticket);
        this.#route({ fetch: lookup.fetch, client: 'attached' }).start();
        break;
      case 'wait':
        this.#wait(lookup.ticket);
        break;
      case 'bypass':
        this.#route(lookup.cacheStatus).start();
        break;
      case 'unavailable':
        this.#exchange.fail(new TidegateError('not_cached'), { 'cache-status': lookup.cacheStatus });
        this.#run.figures.failed('not_cached');
        break;
    }
  }

  #cacheRequest(): CacheRequest {
    const { method, scheme, host, target, path, headers, body } = this.#exchange.request;
    return {
      method,
      scheme,
      host,
      target: this.#hit.path === path ? target : this.#hit.path + target.slice(path.length),
      headers,
      content: body.lengthBytes === 0 ? 'none' : 'some',
    };
  }

  #route(cache: ConstructorParameters<typeof RoutedRequest>[4]): RoutedRequest {
    return new RoutedRequest(this.#exchange, this.#hit, this.#run, this.#context, cache);
  }

  #wait(ticket: CacheTicket): void {
    this.#ticket = ticket;
    this.#exchange.onAbandoned(() => {
      ticket.leave();
      this.#run.figures.left();
    });
    ticket.attach(this);
  }

  // --- What the cache tells. ---

  head(reply: CacheReply): void {
    const { status, body, lengthBytes } = reply;
    this.#status = status;
    if (this.#isHeld(reply)) {
      if (body === null) return;
      if (body.length > 0) this.data(body);
      this.end();
      return;
    }
    this.#relayed = this.#exchange.relay(
      { status, reason: '', fields: this.#fields(reply), bodyBytes: lengthBytes },
      this,
    );
    if (body === null) return;
    this.#relayed.write(body);
    this.end();
  }

  #fields({ fields, age, cacheStatus, contentRange }: CacheReply): readonly string[] {
    const all = [...this.#run.responseFields(fields)];
    if (age !== null) all.push('Age', age);
    if (contentRange !== null) all.push('Content-Range', contentRange);
    all.push('Cache-Status', cacheStatus);
    return all;
  }

  /**
   * Instructions are kept with the response: who is served from the cache is held as if the origin had been asked. Returns whether that is
   * so with this response.
   */
  #isHeld({ status, fields, lengthBytes }: CacheReply): boolean {
    const { route } = this.#run;
    const { holds } = this.#context;
    const head = { status, reason: '', fields, bodyBytes: lengthBytes };
    const upstream = route.upstream === null ? undefined : this.#context.upstream(route.upstream);
    if (route.grip === null || upstream === undefined || !holds.wants(head)) return false;
    const grip = new GripRequest(this.#run, route.grip, this.#context, (ended) => this.#held(ended));
    const asked = originRequest(this.#exchange.request, {
      hit: this.#hit,
      run: this.#run,
      upstream: upstream.spec,
      changes: null,
      deadlineMs: null,
    });
    const pace = new HeldPace(() => this.#ticket?.drained());
    this.#pace = pace;
    this.#holder = holds.take(this.#exchange, head, asked, pace, grip);
    return true;
  }

  #held(status: number | null): void {
    this.#ticket?.leave();
    if (status === null) this.#run.figures.left();
    else this.#run.figures.answered(status, (this.#context.clock.monotonicMs() - this.#startedMs) / 1000);
  }

  data(slice: Buffer): boolean {
    if (this.#holder !== null) {
      this.#holder.data(slice);
      return this.#pace?.isPaused !== true;
    }
    return this.#relayed?.write(slice) ?? false;
  }

  end(): void {
    this.#isWhole = true;
    this.#holder?.answerEnded([]);
    this.#relayed?.end();
  }

  failed(error: TidegateError): void {
    this.#ticket = null;
    if (this.#holder !== null) this.#holder.failed({ error, reached: 'origin' });
    else if (this.#relayed !== null) this.#relayed.abort();
    else this.#route(null).refused(error);
  }

  /** What came cannot be shared: the client gets an answer of its own. */
  released(): void {
    this.#ticket = null;
    this.#route(null).start();
  }

  // --- What the client tells. ---

  drained(): void {
    this.#ticket?.drained();
  }

  receivedEnd(): void {}

  closed(): void {
    this.#ticket?.leave();
    const seconds = (this.#context.clock.monotonicMs() - this.#startedMs) / 1000;
    if (this.#isWhole) this.#run.figures.answered(this.#status, seconds);
    else this.#run.figures.left();
  }
}

/** What stands for the exchange with the origin where the cache has the answer. */
class HeldPace implements OriginExchange {
  isPaused = false;
  readonly #drained: () => void;

  constructor(drained: () => void) {
    this.#drained = drained;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.#drained();
  }

  // Nothing was sent to an origin that could be added to or taken back.
  write(): boolean {
    return true;
  }

  end(): void {}

  abort(): void {}
}
