import { type Limits, type Metrics, TidegateError } from '../kernel/index.ts';
import {
  type AppendedTopic,
  type AppendRecord,
  encodeHeaders,
  type Log,
  RECORD_CONTROL,
  RECORD_JSON,
  RECORD_UTF8,
  type TopicAppend,
} from '../log/index.ts';
import type { ChannelMap } from './channel-map.ts';
import { assertPublishable } from './channel-name.ts';
import { partitionCursor } from './cursor.ts';
import { positionId, RENDERINGS_HEADER } from './message.ts';
import type { EventPublisher, PublishCallback, PublishedEvent, PublishReceipt } from './port.ts';
import { type PublishCounters, PublishMetrics } from './publish-metrics.ts';

const DATA_FLAGS = { binary: 0, text: RECORD_UTF8, json: RECORD_UTF8 | RECORD_JSON } as const;

/** How many distinct sets of attributes are kept encoded. */
const HEADER_CACHE_ENTRIES = 256;

/** Turns events into appends and the log's answers into receipts. */
export class Publisher implements EventPublisher {
  readonly #log: Log;
  readonly #map: ChannelMap;
  readonly #limits: Limits;
  readonly #metrics: PublishMetrics;
  /** Most publishers send nothing but a content type: its encoding is made once. */
  readonly #headerCache = new Map<string, Uint8Array>();

  constructor(log: Log, map: ChannelMap, limits: Limits, metrics: Metrics) {
    this.#log = log;
    this.#map = map;
    this.#limits = limits;
    this.#metrics = new PublishMetrics(metrics);
  }

  publish(events: readonly PublishedEvent[], protocol: string, done: PublishCallback): void {
    const counters = this.#metrics.of(protocol);
    const outcomes: (PublishReceipt | TidegateError)[] = new Array(events.length);
    // One append for each topic, so that topics of different durability answer independently.
    const byTopic = new Map<string, { readonly records: AppendRecord[]; readonly indexes: number[] }>();
    for (let i = 0; i < events.length; i++) {
      const event = events[i];
      try {
        assertPublishable(event.channel, this.#limits);
        const address = this.#map.addressOf(event.channel);
        const record = this.#record(event, address.key);
        const group = byTopic.get(address.topic);
        if (group === undefined) byTopic.set(address.topic, { records: [record], indexes: [i] });
        else {
          group.records.push(record);
          group.indexes.push(i);
        }
      } catch (error) {
        outcomes[i] = TidegateError.from(error);
        counters.refused.add(1);
      }
    }
    let waiting = byTopic.size;
    if (waiting === 0) {
      done(outcomes);
      return;
    }
    for (const [topic, { records, indexes }] of byTopic) {
      const append: TopicAppend = { topic, records };
      this.#log.append([append], (error, appended) => {
        if (error === null) this.#settle(events, indexes, records, appended[0], outcomes, counters);
        else {
          for (const index of indexes) outcomes[index] = error;
          counters.refused.add(indexes.length);
        }
        if (--waiting === 0) done(outcomes);
      });
    }
  }

  #record(event: PublishedEvent, key: string | null): AppendRecord {
    const { data } = event;
    if (data !== null && data.length > this.#limits.messageBytesMax) {
      throw new TidegateError(
        'body_too_large',
        `The data has ${data.length} bytes; the limit is ${this.#limits.messageBytesMax}`,
      );
    }
    return {
      key,
      data,
      headers:
        event.renderings === undefined
          ? this.#headers(event.attributes)
          : this.#headersWith(event.attributes, event.renderings),
      flags:
        (data === null ? 0 : DATA_FLAGS[event.dataKind]) | (event.kind === 'control' ? RECORD_CONTROL : 0),
      identity:
        event.clientId === null ? null : `${event.channel}\0${event.identitySource}\0${event.clientId}`,
    };
  }

  #headers(attributes: PublishedEvent['attributes']): Uint8Array | null {
    const only = attributes.length === 1 && attributes[0][0] === 'datacontenttype' ? attributes[0][1] : null;
    const cached = only === null ? undefined : this.#headerCache.get(only);
    if (cached !== undefined) return cached;
    const headers = encodeHeaders(attributes);
    if (headers === null) return null;
    if (headers.length > this.#limits.eventAttributesBytesMax) {
      throw new TidegateError(
        'event_invalid',
        `The attributes have ${headers.length} bytes; the limit is ${this.#limits.eventAttributesBytesMax}`,
      );
    }
    if (only !== null) {
      if (this.#headerCache.size >= HEADER_CACHE_ENTRIES) this.#headerCache.clear();
      this.#headerCache.set(only, headers);
    }
    return headers;
  }

  /** Renderings are data in other forms, and bounded as data are. */
  #headersWith(attributes: PublishedEvent['attributes'], renderings: string): Uint8Array | null {
    this.#headers(attributes);
    const { messageBytesMax } = this.#limits;
    if (renderings.length > messageBytesMax) {
      throw new TidegateError(
        'body_too_large',
        `The renderings have ${renderings.length} characters; the limit is ${messageBytesMax}`,
      );
    }
    return encodeHeaders([...attributes, [RENDERINGS_HEADER, renderings]]);
  }

  #settle(
    events: readonly PublishedEvent[],
    indexes: readonly number[],
    records: readonly AppendRecord[],
    appended: AppendedTopic,
    outcomes: (PublishReceipt | TidegateError)[],
    counters: PublishCounters,
  ): void {
    const { topic, partitions, offsets, duplicates } = appended;
    let bytes = 0;
    for (let i = 0; i < indexes.length; i++) {
      const event = events[indexes[i]];
      const duplicate = duplicates?.has(i) === true;
      if (!duplicate) bytes += records[i].data?.length ?? 0;
      outcomes[indexes[i]] = {
        channel: event.channel,
        id: event.clientId ?? idOf(event) ?? positionId(topic.epoch, partitions[i], offsets[i]),
        cursor: partitionCursor(topic.name, topic.epoch, partitions[i], offsets[i] + 1),
        duplicate,
      };
    }
    counters.stored.add(indexes.length - (duplicates?.size ?? 0));
    if (duplicates !== null) counters.duplicates.add(duplicates.size);
    counters.bytes.add(bytes);
  }
}

function idOf(event: PublishedEvent): string | undefined {
  return event.attributes.find(([name]) => name === 'id')?.[1];
}
