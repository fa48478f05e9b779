import { type Buffer, isUtf8 } from 'node:buffer';
import type { EventPublisher } from '../../channels/index.ts';
import { type Limits, type Logger, TidegateError } from '../../kernel/index.ts';
import type { PublishItem } from '../../wire/grip/index.ts';
import type { GripPublisher } from '../grip/grip-publisher.ts';
import { parseItemFrame } from './item-frame.ts';
import type { ItemSocket, ZmqMetrics } from './zmq-metrics.ts';

export interface ItemIntakeOptions {
  readonly publisher: GripPublisher;
  /** By whom the events are published: a socket of ZeroMQ asks nobody who he is. */
  readonly publishAs: EventPublisher;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly metrics: ZmqMetrics;
}

/**
 * Publishes the items that come by PULL and SUB. Nobody can be told what became of one: that is counted, and what was not published is logged.
 */
export class ItemIntake {
  readonly #options: ItemIntakeOptions;

  constructor(options: ItemIntakeOptions) {
    this.#options = options;
  }

  /** A message of the PULL socket: one frame with an item. */
  pulled(frames: readonly Buffer[], done: () => void): void {
    this.#take('pull', done, () => {
      if (frames.length !== 1) throw invalid(`The message has ${frames.length} frames instead of one.`);
      return parseItemFrame(frames[0], this.#options.limits);
    });
  }

  /** A message of the SUB socket: a channel, and a frame with an item. */
  subscribed(frames: readonly Buffer[], done: () => void): void {
    this.#take('sub', done, () => {
      if (frames.length !== 2) throw invalid(`The message has ${frames.length} frames instead of two.`);
      const [channel, item] = frames;
      if (channel.length === 0 || !isUtf8(channel))
        throw invalid('The first frame is not the name of a channel.');
      return parseItemFrame(item, this.#options.limits, channel.toString('utf8'));
    });
  }

  #take(socket: ItemSocket, done: () => void, parse: () => PublishItem): void {
    const { publisher, publishAs, logger, metrics } = this.#options;
    let item: PublishItem;
    try {
      item = parse();
    } catch (error) {
      metrics.item(socket, 'invalid');
      logger.warn({ error, socket }, 'A message on a ZMQ socket is no GRIP item');
      done();
      return;
    }
    publisher.publish([item], publishAs, ([outcome]) => {
      if (outcome instanceof TidegateError) {
        metrics.item(socket, 'refused');
        logger.warn(
          { error: outcome, socket, channel: item.channel },
          'A GRIP item from a ZMQ socket was not stored',
        );
      } else {
        metrics.item(socket, outcome.duplicate ? 'duplicate' : 'stored');
      }
      done();
    });
  }
}

const invalid = (detail: string): TidegateError => new TidegateError('grip_item_invalid', detail);
