import type { Channels, FrameEncoder, JsonEnvelope } from '../../channels/index.ts';
import type { Limits } from '../../kernel/index.ts';
import type { HttpExchange, ResponseHeaders, StreamFraming } from '../../listeners/port.ts';
import { framingFor } from '../../wire/http1/index.ts';
import { refuse } from '../refusal.ts';
import { openStream, type StreamEnd } from '../streaming-subscriber.ts';
import { type QueryRules, readSubscriptionQuery } from '../subscription-query.ts';
import { createStreamEncoder, streamEnd } from './codec.ts';
import { streamQueryRules } from './options.ts';

const HEADERS: ResponseHeaders = {
  'content-type': 'application/x-ndjson',
  // What a proxy compresses or holds back arrives late.
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
  vary: 'Accept',
};

/** Encoders are shared: there are as many as forms, not as subscribers. */
type Encoders = Readonly<Record<StreamFraming, Readonly<Record<JsonEnvelope, FrameEncoder>>>>;

const ENDS: Readonly<Record<StreamFraming, StreamEnd>> = {
  chunked: streamEnd('chunked'),
  close: streamEnd('close'),
};

/** What the edge needs. */
export interface StreamOptions {
  readonly limits: Limits;
}

/** HTTP streams of JSON lines. Errors are answered. */
export class StreamEdge {
  readonly #limits: Limits;
  readonly #rules: QueryRules;
  readonly #encoders: Encoders = { chunked: encodersFor('chunked'), close: encodersFor('close') };

  constructor(options: StreamOptions) {
    this.#limits = options.limits;
    this.#rules = streamQueryRules(options.limits);
  }

  /** `GET /v1/channels/{channel}` with `Accept: application/x-ndjson`. */
  subscribe(exchange: HttpExchange, channels: Channels, channel: string): void {
    try {
      const { request } = exchange;
      const query = readSubscriptionQuery(request, this.#rules, this.#limits);
      const framing = framingFor(request.minorVersion);
      openStream(exchange, channels, {
        channels: [channel],
        from: query.from,
        encoder: this.#encoders[framing][query.envelope === 'none' ? 'json' : query.envelope],
        slowPolicy: query.slow,
        protocol: 'stream',
        framing,
        headers: HEADERS,
        preamble: null,
        end: ENDS[framing],
      });
    } catch (error) {
      refuse(exchange, error);
    }
  }
}

function encodersFor(framing: StreamFraming): Readonly<Record<JsonEnvelope, FrameEncoder>> {
  return {
    json: createStreamEncoder({ framing, envelope: 'json' }),
    cloudevents: createStreamEncoder({ framing, envelope: 'cloudevents' }),
  };
}
