import type { Channels, FrameEncoder } from '../../channels/index.ts';
import { type Limits, TidegateError } from '../../kernel/index.ts';
import type { HttpExchange, ResponseHeaders, StreamFraming } from '../../listeners/port.ts';
import { framingFor } from '../../wire/http1/index.ts';
import { refuse } from '../refusal.ts';
import { openStream, type StreamEnd } from '../streaming-subscriber.ts';
import { type QueryRules, readSubscriptionQuery, type SubscriptionQuery } from '../subscription-query.ts';
import { createSseEncoder, type SseForm, sseEnd, ssePreamble } from './codec.ts';
import { sseChannelsQueryRules, sseQueryRules } from './options.ts';

const HEADERS: ResponseHeaders = {
  'content-type': 'text/event-stream',
  // What a proxy compresses or holds back arrives late.
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
  vary: 'Accept',
};

const ENDS: Readonly<Record<StreamFraming, StreamEnd>> = {
  chunked: sseEnd('chunked'),
  close: sseEnd('close'),
};

/** What the edge needs. */
export interface SseOptions {
  readonly limits: Limits;
}

/** Server-sent events. Errors are answered. */
export class SseEdge {
  readonly #limits: Limits;
  readonly #oneChannel: QueryRules;
  readonly #severalChannels: QueryRules;
  readonly #encoders = new Map<string, FrameEncoder>();

  constructor(options: SseOptions) {
    this.#limits = options.limits;
    this.#oneChannel = sseQueryRules(options.limits);
    this.#severalChannels = sseChannelsQueryRules(options.limits);
  }

  /** `GET /v1/channels/{channel}` with `Accept: text/event-stream`. */
  subscribe(exchange: HttpExchange, channels: Channels, channel: string): void {
    this.#open(exchange, channels, this.#oneChannel, () => [channel]);
  }

  /** `GET /v1/sse?channel=a&channel=b`. */
  subscribeToSeveral(exchange: HttpExchange, channels: Channels): void {
    this.#open(exchange, channels, this.#severalChannels, (query) => {
      if (query.channels.length > 0) return query.channels;
      throw new TidegateError('http_query_invalid', 'The parameter "channel" is missing');
    });
  }

  #open(
    exchange: HttpExchange,
    channels: Channels,
    rules: QueryRules,
    channelsOf: (query: SubscriptionQuery) => readonly string[],
  ): void {
    try {
      const { request } = exchange;
      const query = readSubscriptionQuery(request, rules, this.#limits);
      const framing = framingFor(request.minorVersion);
      openStream(exchange, channels, {
        channels: channelsOf(query),
        from: query.from,
        encoder: this.#encoderFor({ framing, envelope: query.envelope, eventName: query.eventName }),
        slowPolicy: query.slow,
        protocol: 'sse',
        framing,
        headers: HEADERS,
        preamble: (cursor) => ssePreamble(framing, cursor),
        end: ENDS[framing],
      });
    } catch (error) {
      refuse(exchange, error);
    }
  }

  /** Encoders are shared: there are as many as forms, not as subscribers. */
  #encoderFor(form: SseForm): FrameEncoder {
    const key = `${form.framing} ${form.envelope} ${form.eventName}`;
    let encoder = this.#encoders.get(key);
    if (encoder === undefined) {
      encoder = createSseEncoder(form);
      this.#encoders.set(key, encoder);
    }
    return encoder;
  }
}
