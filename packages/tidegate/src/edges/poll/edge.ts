import type { Channels, FrameEncoder, JsonEnvelope } from '../../channels/index.ts';
import type { Clock, Limits } from '../../kernel/index.ts';
import type { HttpExchange } from '../../listeners/port.ts';
import { refuse } from '../refusal.ts';
import { type QueryRules, readSubscriptionQuery } from '../subscription-query.ts';
import { createPollEncoder } from './codec.ts';
import { historyQueryRules, pollQueryRules } from './options.ts';
import { PollSession } from './session.ts';

/** What the edge needs. */
export interface PollOptions {
  readonly clock: Clock;
  readonly limits: Limits;
}

/** Long-polls and pages of history. Errors are answered. */
export class PollEdge {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #pollRules: QueryRules;
  readonly #historyRules: QueryRules;
  readonly #encoders: Readonly<Record<JsonEnvelope, FrameEncoder>> = {
    json: createPollEncoder('json'),
    cloudevents: createPollEncoder('cloudevents'),
  };

  constructor(options: PollOptions) {
    this.#clock = options.clock;
    this.#limits = options.limits;
    this.#pollRules = pollQueryRules(options.limits);
    this.#historyRules = historyQueryRules(options.limits);
  }

  /** `GET /v1/channels/{channel}` with `Accept: application/json`. */
  poll(exchange: HttpExchange, channels: Channels, channel: string): void {
    this.#begin(exchange, channels, channel, 'subscribe');
  }

  /** `GET /v1/history/{channel}`. */
  history(exchange: HttpExchange, channels: Channels, channel: string): void {
    this.#begin(exchange, channels, channel, 'history');
  }

  #begin(
    exchange: HttpExchange,
    channels: Channels,
    channel: string,
    permission: 'subscribe' | 'history',
  ): void {
    try {
      const { request } = exchange;
      const rules = permission === 'history' ? this.#historyRules : this.#pollRules;
      const query = readSubscriptionQuery(request, rules, this.#limits);
      const session = new PollSession(exchange, this.#clock, {
        // HEAD asks what there is, not what will be.
        waitMs: request.method === 'HEAD' ? 0 : query.waitMs,
        messagesMax: query.messagesMax,
        bytesMax: this.#limits.pollBytesMax,
      });
      const subscription = channels.subscribe({
        channels: [channel],
        from: query.from,
        encoder: this.#encoders[query.envelope === 'none' ? 'json' : query.envelope],
        sink: session,
        slowPolicy: 'resume',
        protocol: 'poll',
        permission,
      });
      session.begin(subscription);
    } catch (error) {
      refuse(exchange, error);
    }
  }
}
