import {
  type Clock,
  type Deadlines,
  type Limits,
  type Logger,
  type Metrics,
  TidegateError,
} from '../../kernel/index.ts';
import { type AskingFilter, type FilterContext, type Filtered, octetsOfText } from '../../wire/grip/index.ts';
import { FilterMetrics } from './filter-metrics.ts';
import { FilterPace } from './filter-pace.ts';
import { FilterRequest } from './filter-request.ts';
import { lastIdField } from './last-ids.ts';
import { type LinkBase, linkTarget } from './link-target.ts';
import type { Cancel } from './ordered-work.ts';
import type { GripRoute } from './port.ts';

/** On whose behalf an origin is asked. */
export interface FilterScope {
  readonly route: GripRoute;
  /** Of the request by which the client came: the meta `url` is resolved against it, and leads nowhere else. */
  readonly base: LinkBase;
}

/** What is asked about one item, for one subscriber. */
export interface FilterQuestion extends FilterScope {
  readonly filter: AskingFilter;
  readonly content: Uint8Array;
  readonly context: FilterContext;
}

/** What an origin makes of content; `failed` if it does not say, so that nobody gets what he may not get. */
export type Asked = Filtered | 'failed';

export interface FilterRequestsOptions {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly deadlines: Deadlines;
}

/**
 * Asks origins for the filters http-check and http-modify: with `POST` to the `url` of the subscriber's meta, which goes to the route's upstream like any link of an
 * origin.
 */
export class FilterRequests {
  readonly #options: FilterRequestsOptions;
  readonly #metrics: FilterMetrics;
  readonly #pace: FilterPace;
  /** Routes whose origins failed last: one that fails all the time is logged once. */
  readonly #failing = new WeakSet<object>();

  constructor(options: FilterRequestsOptions) {
    const { clock, limits, metrics } = options;
    this.#options = options;
    this.#metrics = new FilterMetrics(metrics);
    this.#pace = new FilterPace(clock, {
      perSecond: limits.gripFilterRequestsPerSecondMax,
      queueMax: limits.gripFilterQueueMax,
    });
  }

  /** Asks, and tells once what comes of it; also before it returns, if there is nothing to be asked. */
  ask(question: FilterQuestion, done: (asked: Asked) => void): Cancel | null {
    const { filter, content, context, route, base } = question;
    let target: string;
    try {
      target = linkTarget(urlOf(context), base);
    } catch (error) {
      this.#fail(route, 'refused', { error }, done);
      return null;
    }
    const meta = metaFields(context, this.#options.limits.gripFilterFieldBytesMax);
    if (meta === null) {
      this.#fail(route, 'refused', { reason: 'The meta is too long for a header field.' }, done);
      return null;
    }
    const body = filter === 'http-modify' ? content : null;
    let request: FilterRequest | null = null;
    const leave = this.#pace.enter(route.rule, () => {
      const fields = ['Host', base.authority, ...route.gripFields(), ...meta];
      request = new FilterRequest({ target, fields, body, route }, this.#options, (answer) => {
        if (answer.kind === 'failed') {
          this.#fail(route, 'failed', { error: answer.error }, done);
          return;
        }
        this.#failing.delete(route.rule);
        this.#metrics.of(answer.kind === 'drop' ? 'dropped' : 'answered').add(1);
        if (answer.kind === 'drop') done('skipped');
        else done(answer.body === null || body === null ? content : answer.body);
      });
      request.start();
    });
    if (leave === null) {
      this.#fail(route, 'overloaded', { reason: 'Too many requests wait.' }, done);
      return null;
    }
    return () => {
      leave();
      request?.abort();
    };
  }

  #fail(
    route: GripRoute,
    outcome: 'refused' | 'failed' | 'overloaded',
    why: Readonly<Record<string, unknown>>,
    done: (asked: Asked) => void,
  ): void {
    this.#metrics.of(outcome).add(1);
    if (!this.#failing.has(route.rule)) {
      this.#failing.add(route.rule);
      this.#options.logger.warn(
        { ...why, route: route.name },
        'A filter that the origin is asked for fails, and keeps messages from clients',
      );
    }
    done('failed');
  }

  close(): void {
    this.#pace.close();
  }
}

function urlOf({ subscriptionMeta }: FilterContext): string {
  const url = subscriptionMeta.get('url');
  if (url) return url;
  throw new TidegateError('grip_instruct_invalid', 'The meta of the subscriber has no url to ask.');
}

/** What is known of the subscriber and of the item, and what the client has; null if a field would be too long. */
function metaFields(
  { subscriptionMeta, publicationMeta, channelIds }: FilterContext,
  bytesMax: number,
): string[] | null {
  const subscription = metaField(subscriptionMeta);
  const publication = metaField(publicationMeta);
  if (Math.max(subscription.length, publication.length) > bytesMax) return null;
  const fields = ['Sub-Meta', subscription, 'Pub-Meta', publication];
  for (const [name, id] of channelIds) {
    const last = id === null ? null : lastIdField(name, id);
    if (last !== null) fields.push('Grip-Last', last);
  }
  return fields;
}

/** A JSON object, which has no control characters but DEL, which no field may have. */
function metaField(meta: ReadonlyMap<string, string>): string {
  return octetsOfText(JSON.stringify(Object.fromEntries(meta)).replaceAll('\x7f', '\\u007f'));
}
