import type { Buffer } from 'node:buffer';
import type { AccessChannels } from '../../access/port.ts';
import type { PublishedEvent } from '../../channels/index.ts';
import { type Limits, TidegateError } from '../../kernel/index.ts';
import type { HttpExchange } from '../../listeners/port.ts';
import { BodyCollector, type BodyTaker } from '../body-collector.ts';
import { refuse } from '../refusal.ts';
import { hasCloudEventHeaders, readCloudEventHeaders } from './cloudevents-headers.ts';
import { parseContentType } from './content-type.ts';
import { type Entries, readEntries, readSingleEntry } from './entries.ts';
import { eventOfBody, readBodyHead } from './event-of-body.ts';
import type { EntryRules } from './event-of-entry.ts';
import { LinesPublish } from './lines-session.ts';
import { entryBytesMax } from './options.ts';
import type { CachePurger } from './port.ts';
import { readPurgeField } from './purge-field.ts';
import { PurgeFirst } from './purge-first.ts';
import { BatchPublish, SinglePublish } from './session.ts';

const CLOUD_EVENT = 'application/cloudevents+json';
const CLOUD_EVENTS_BATCH = 'application/cloudevents-batch+json';
const CLOUD_EVENTS_PREFIX = 'application/cloudevents';
const JSON_TYPE = 'application/json';
const NDJSON = 'application/x-ndjson';
const SHORTHAND: EntryRules = { channel: null, form: 'shorthand' };
const STRICT: EntryRules = { channel: null, form: 'cloudevents' };

/** What the edge needs. */
export interface PublishOptions {
  readonly limits: Limits;
  /** Takes answers out of the caches in front of what is published here. */
  readonly purge: CachePurger;
}

/** Takes events from requests. Errors are answered. */
export class PublishEdge {
  readonly #limits: Limits;
  readonly #purge: CachePurger;
  readonly #entryBytesMax: number;

  constructor(options: PublishOptions) {
    this.#limits = options.limits;
    this.#purge = options.purge;
    this.#entryBytesMax = entryBytesMax(options.limits);
  }

  /** `POST /v1/channels/{channel}`: the body is one event, or, in the CloudEvents batch mode, several. */
  toChannel(exchange: HttpExchange, channels: AccessChannels, channel: string): void {
    try {
      this.#toChannel(exchange, channels, channel);
    } catch (error) {
      refuse(exchange, error);
    }
  }

  /** `POST /v1/publish`: the body is many events, each with a channel of its own. */
  toMany(exchange: HttpExchange, channels: AccessChannels): void {
    try {
      this.#toMany(exchange, channels);
    } catch (error) {
      refuse(exchange, error);
    }
  }

  #toChannel(exchange: HttpExchange, channels: AccessChannels, channel: string): void {
    const { headers } = exchange.request;
    assertIdentityCoding(exchange);
    const contentType = headers.get('content-type');
    // Which content types exist is not known, so that the CloudEvents modes are told apart before anything else is read.
    const mediaType = contentType === undefined ? '' : parseContentType(contentType).mediaType;
    if (mediaType.startsWith(CLOUD_EVENTS_PREFIX)) {
      this.#structured(exchange, channels, mediaType, { channel, form: 'cloudevents' });
      return;
    }
    const cloudEvent = hasCloudEventHeaders(headers) ? readCloudEventHeaders(headers) : null;
    const head = readBodyHead(channel, contentType, cloudEvent, headers.get('idempotency-key'));
    const purge = this.#purgeFirst(exchange, channels);
    const taker = new SinglePublish(exchange, channels, (body) => eventOfBody(head, body), purge);
    receive(exchange, taker, this.#limits.messageBytesMax);
  }

  #toMany(exchange: HttpExchange, channels: AccessChannels): void {
    assertIdentityCoding(exchange);
    const contentType = exchange.request.headers.get('content-type');
    const parsed = contentType === undefined ? null : parseContentType(contentType);
    // Another charset than UTF-8 makes what follows unreadable (RFC 8259, section 8.1).
    const mediaType =
      parsed === null || (parsed.charset !== null && parsed.rule === 'binary') ? '' : parsed.mediaType;
    switch (mediaType) {
      case NDJSON: {
        if (readPurgeField(exchange.request.headers) !== null)
          throw new TidegateError(
            'purge_invalid',
            'A stream has no end to purge before: send one event, or a batch as JSON.',
          );
        const session = new LinesPublish(exchange, channels, this.#limits, SHORTHAND, this.#entryBytesMax);
        exchange.request.body.receive(session, Number.POSITIVE_INFINITY);
        break;
      }
      case JSON_TYPE:
        this.#batch(exchange, channels, SHORTHAND);
        break;
      case CLOUD_EVENT:
      case CLOUD_EVENTS_BATCH:
        this.#structured(exchange, channels, mediaType, STRICT);
        break;
      default:
        throw new TidegateError(
          'http_media_type_unsupported',
          `Many events are sent as ${JSON_TYPE}, ${NDJSON}, ${CLOUD_EVENTS_BATCH} or ${CLOUD_EVENT}, in UTF-8`,
        );
    }
  }

  /** The structured and the batched mode of the CloudEvents HTTP binding (sections 3.2 and 3.3), in JSON. */
  #structured(exchange: HttpExchange, channels: AccessChannels, mediaType: string, rules: EntryRules): void {
    switch (mediaType) {
      case CLOUD_EVENT: {
        const purge = this.#purgeFirst(exchange, channels);
        const toEvent = (body: Buffer): PublishedEvent => readSingleEntry(body, rules);
        const taker = new SinglePublish(exchange, channels, toEvent, purge);
        receive(exchange, taker, this.#entryBytesMax);
        break;
      }
      case CLOUD_EVENTS_BATCH:
        this.#batch(exchange, channels, rules);
        break;
      default:
        throw new TidegateError(
          'http_media_type_unsupported',
          `Of the CloudEvents formats, only JSON is read, not ${mediaType}`,
        );
    }
  }

  #batch(exchange: HttpExchange, channels: AccessChannels, rules: EntryRules): void {
    const { batchBytesMax, batchEventsMax } = this.#limits;
    const purge = this.#purgeFirst(exchange, channels);
    const toEntries = (body: Buffer): Entries => readEntries(body, rules, batchEventsMax);
    receive(exchange, new BatchPublish(exchange, channels, toEntries, purge), batchBytesMax);
  }

  /** What the request wants to be purged before; null if nothing. */
  #purgeFirst(exchange: HttpExchange, channels: AccessChannels): PurgeFirst | null {
    const purges = readPurgeField(exchange.request.headers);
    return purges === null ? null : new PurgeFirst(exchange, channels, purges, this.#purge);
  }
}

function receive(exchange: HttpExchange, taker: BodyTaker, bytesMax: number): void {
  exchange.request.body.receive(new BodyCollector(taker), bytesMax);
}

/** RFC 9110, section 8.4: storing coded bytes as if they were the data would deliver something else than was meant. */
function assertIdentityCoding(exchange: HttpExchange): void {
  const coding = exchange.request.headers.get('content-encoding');
  if (coding === undefined || coding.toLowerCase() === 'identity') return;
  throw new TidegateError('http_media_type_unsupported', 'The body has a Content-Encoding; send it as it is');
}
