import { TidegateError } from '../../kernel/index.ts';
import type { GripRoute } from '../grip/port.ts';
import type { OriginExchange, OriginReceiver, OriginRequest } from '../origin/exchange.ts';
import type { RouteRun } from '../route-run.ts';
import type { GripRule } from '../routes/route.ts';
import { routeFetch } from './route-fetch.ts';
import type { RequestContext } from './routed-request.ts';

/** An exchange with an origin that was never there. */
const NO_EXCHANGE: OriginExchange = {
  write: () => true,
  end() {},
  pause() {},
  resume() {},
  abort() {},
};

/** A request on a route with GRIP, as GRIP sees its route. */
export class GripRequest implements GripRoute {
  readonly name: string;
  readonly rule: GripRule;
  readonly sessionScope: string | null;
  readonly #run: RouteRun;
  readonly #context: RequestContext;
  readonly #ended: (status: number | null) => void;

  /** @param rule of the route of `run` */
  constructor(
    run: RouteRun,
    rule: GripRule,
    context: RequestContext,
    ended: (status: number | null) => void,
  ) {
    this.name = run.route.name;
    this.rule = rule;
    // Routes of one origin share their sessions, if they mean the same channels.
    this.sessionScope = rule.session ? `${run.route.upstream} ${rule.prefix}` : null;
    this.#run = run;
    this.#context = context;
    this.#ended = ended;
  }

  gripFields(): string[] {
    return this.#run.gripFields(this.#context.clock.nowMs());
  }

  ask(request: OriginRequest, receiver: OriginReceiver): OriginExchange {
    const { upstream: name } = this.#run.route;
    const upstream = name === null ? undefined : this.#context.upstream(name);
    if (upstream === undefined) {
      const error = new TidegateError('upstream_unavailable', `The route ${this.name} has no upstream.`);
      queueMicrotask(() => receiver.failed({ error, reached: 'nothing' }));
      return NO_EXCHANGE;
    }
    const terms = { request, hash: 0, timeLeftMs: Number.POSITIVE_INFINITY };
    const fetch = routeFetch(this.#run, upstream, terms, receiver, this.#context);
    // Whoever asks has the exchange in hand before anything is told.
    queueMicrotask(() => fetch.start());
    return fetch;
  }

  responseFields(fields: readonly string[]): readonly string[] {
    return this.#run.responseFields(fields);
  }

  ended(status: number | null): void {
    this.#ended(status);
  }
}
