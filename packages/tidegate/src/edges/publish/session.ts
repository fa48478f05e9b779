import type { Buffer } from 'node:buffer';
import type { Channels, PublishedEvent, PublishReceipt } from '../../channels/index.ts';
import { TidegateError } from '../../kernel/index.ts';
import type { HttpExchange, ResponseHeaders } from '../../listeners/port.ts';
import type { BodyTaker } from '../body-collector.ts';
import { refuse } from '../refusal.ts';
import { outcomeJson, receiptJson } from './codec.ts';
import type { Entries } from './entries.ts';
import type { PurgeFirst } from './purge-first.ts';

const HEADERS: ResponseHeaders = { 'content-type': 'application/json', 'cache-control': 'no-store' };

/** RFC 4918, section 11.1, in its plain sense: the answer has a status for each of several. */
const MULTI_STATUS = 207;

/** Publishes a body that is one event. */
export class SinglePublish implements BodyTaker {
  readonly #exchange: HttpExchange;
  readonly #channels: Channels;
  readonly #toEvent: (body: Buffer) => PublishedEvent;
  readonly #purge: PurgeFirst | null;

  /**
   * `toEvent` throws a TidegateError if the body is not an event.
   * @param purge what is purged first; null for nothing
   */
  constructor(
    exchange: HttpExchange,
    channels: Channels,
    toEvent: (body: Buffer) => PublishedEvent,
    purge: PurgeFirst | null,
  ) {
    this.#exchange = exchange;
    this.#channels = channels;
    this.#toEvent = toEvent;
    this.#purge = purge;
  }

  complete(body: Buffer): void {
    let event: PublishedEvent;
    try {
      event = this.#toEvent(body);
    } catch (error) {
      refuse(this.#exchange, error);
      return;
    }
    if (this.#purge === null) this.#channels.publish([event], 'http', this.#answer);
    else this.#purge.before(() => this.#channels.publish([event], 'http', this.#answer));
  }

  failed(error: TidegateError): void {
    this.#exchange.fail(error);
  }

  readonly #answer = (outcomes: readonly (PublishReceipt | TidegateError)[]): void => {
    const [outcome] = outcomes;
    if (outcome instanceof TidegateError) this.#exchange.fail(outcome);
    else this.#exchange.respond(200, HEADERS, `${receiptJson(outcome)}\n`);
  };
}

/** Publishes a body that is a batch: what can be read of it is stored, whatever becomes of the rest. */
export class BatchPublish implements BodyTaker {
  readonly #exchange: HttpExchange;
  readonly #channels: Channels;
  readonly #toEntries: (body: Buffer) => Entries;
  readonly #purge: PurgeFirst | null;

  /**
   * `toEntries` throws a TidegateError if the body is not a batch at all; then nothing is stored.
   * @param purge what is purged first; null for nothing
   */
  constructor(
    exchange: HttpExchange,
    channels: Channels,
    toEntries: (body: Buffer) => Entries,
    purge: PurgeFirst | null,
  ) {
    this.#exchange = exchange;
    this.#channels = channels;
    this.#toEntries = toEntries;
    this.#purge = purge;
  }

  complete(body: Buffer): void {
    let entries: Entries;
    try {
      entries = this.#toEntries(body);
    } catch (error) {
      refuse(this.#exchange, error);
      return;
    }
    if (this.#purge === null) this.#publish(entries);
    else this.#purge.before(() => this.#publish(entries));
  }

  failed(error: TidegateError): void {
    this.#exchange.fail(error);
  }

  #publish(entries: Entries): void {
    publishEntries(this.#channels, entries, (outcomes) => {
      let text = '{"results":[';
      let status = 200;
      for (let i = 0; i < outcomes.length; i++) {
        const outcome = outcomes[i];
        if (i > 0) text += ',\n';
        text += outcomeJson(outcome);
        if (outcome instanceof TidegateError) status = MULTI_STATUS;
      }
      this.#exchange.respond(status, HEADERS, `${text}]}\n`);
    });
  }
}

/** Publishes the events among the entries, and calls back with an outcome for each entry, in order. */
export function publishEntries(
  channels: Channels,
  entries: Entries,
  done: (outcomes: readonly (PublishReceipt | TidegateError)[]) => void,
): void {
  const events: PublishedEvent[] = [];
  for (const entry of entries) if (!(entry instanceof TidegateError)) events.push(entry);
  if (events.length === entries.length) {
    if (events.length === 0) done([]);
    else channels.publish(events, 'http', done);
    return;
  }
  const refused = entries as readonly (PublishedEvent | TidegateError)[];
  const settle = (outcomes: readonly (PublishReceipt | TidegateError)[]): void => {
    let next = 0;
    done(refused.map((entry) => (entry instanceof TidegateError ? entry : outcomes[next++])));
  };
  if (events.length === 0) settle([]);
  else channels.publish(events, 'http', settle);
}
