import { type ReceiverOptions, WebSocketReceiver } from './receiver.ts';

/**
 * Lends receivers to connections while they have a message under way. Nearly always that is within one call, so that one spare
 * receiver serves thousands of idle connections.
 */
export class ReceiverPool {
  readonly #options: ReceiverOptions;
  #spare: WebSocketReceiver | null = null;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  lend(): WebSocketReceiver {
    const receiver = this.#spare ?? new WebSocketReceiver(this.#options);
    this.#spare = null;
    return receiver;
  }

  /** Takes back a receiver that is idle. */
  giveBack(receiver: WebSocketReceiver): void {
    this.#spare = receiver;
  }
}
