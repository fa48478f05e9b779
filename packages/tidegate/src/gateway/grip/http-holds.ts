import type { Channels } from '../../channels/index.ts';
import {
  type Clock,
  Deadlines,
  type Limits,
  type Logger,
  type Metrics,
  type Random,
} from '../../kernel/index.ts';
import type { HttpExchange } from '../../listeners/port.ts';
import type { Attendance } from '../grip-attendance/port.ts';
import type { ListPresent } from '../grip-presence/port.ts';
import type { GripSessions } from '../grip-sessions/index.ts';
import type { OriginExchange, OriginHead, OriginReceiver, OriginRequest } from '../origin/exchange.ts';
import type { FilterRequests } from './filter-requests.ts';
import { GripAnswer } from './grip-answer.ts';
import { GripMetrics } from './grip-metrics.ts';
import type { AskedAt } from './hold-channels.ts';
import type { HoldContext } from './hold-context.ts';
import { HoldEncoders } from './hold-encoders.ts';
import { LastIds } from './last-ids.ts';
import { LinkFetcher } from './link-fetcher.ts';
import type { GripHolds, GripRoute } from './port.ts';
import { placeOfInstruct } from './read-instruct.ts';
import type { StreamHold } from './stream-hold.ts';

export interface HttpHoldsOptions {
  /** What holds subscribe by: the origin has said who may, so that nothing is asked of the client. */
  readonly channels: Channels;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Asks origins for filters: the same for all of GRIP, as it is bounded. */
  readonly filters: FilterRequests;
  readonly sessions: GripSessions;
  /** The list of who is held. Default: null, nobody wants to know. */
  readonly attendance?: Attendance | null;
  /** Lists streams that have a user as present. Default: null, nobody is listed. */
  readonly present?: ListPresent | null;
}

/** How often time-outs and keep-alives are looked at. They are counted in seconds. */
const SWEEP_MS = 250;

const NOWHERE: ReadonlyMap<string, AskedAt> = new Map();

/** GRIP on HTTP responses. */
export class HttpHolds implements GripHolds {
  readonly #context: HoldContext;
  readonly #streams = new Set<StreamHold>();

  constructor(options: HttpHoldsOptions) {
    const { clock, random, limits, channels } = options;
    const metrics = new GripMetrics(options.metrics);
    const encoders = new HoldEncoders(limits);
    this.#context = {
      ...options,
      metrics,
      attendance: options.attendance ?? null,
      present: options.present ?? null,
      encoders,
      links: new LinkFetcher({ clock, random, limits, metrics }),
      lastIds: new LastIds(channels, encoders.streamFrames('raw')),
      deadlines: new Deadlines(clock, SWEEP_MS),
    };
  }

  wants(head: OriginHead): boolean {
    return placeOfInstruct(head) !== 'none';
  }

  take(
    exchange: HttpExchange,
    head: OriginHead,
    request: OriginRequest,
    fetch: OriginExchange,
    route: GripRoute,
  ): OriginReceiver {
    const context = this.#context;
    const answer = new GripAnswer({
      exchange,
      request,
      route,
      context,
      streams: this.#streams,
      asked: NOWHERE,
      times: 0,
    });
    answer.attach(fetch);
    answer.head(head);
    return answer;
  }

  /** Asks origins by the next links of all streams for what may have been missed. */
  recover(): void {
    for (const stream of [...this.#streams]) stream.hint();
  }

  /** Stops keeping time. The channels must have been drained. */
  close(): void {
    this.#context.deadlines.stop();
  }
}
