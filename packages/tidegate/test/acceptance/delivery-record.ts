/** One message as a client received it. */
export interface Delivery {
  readonly cursor: string;
  /** As the envelope tells it; a client without an envelope knows no more than what it asked for. */
  readonly channel: string;
  readonly data: string;
}

/** What one subscriber has been through, kept by its client. */
export class DeliveryRecord {
  readonly #deliveries: Delivery[] = [];
  readonly #cursors = new Set<string>();
  readonly #troubles: string[] = [];
  #duplicates = 0;
  #connections = 0;

  /** Without those that came again. */
  get deliveries(): readonly Delivery[] {
    return this.#deliveries;
  }

  /** The position that the client goes on from; empty before the first message. */
  get cursor(): string {
    return this.#deliveries.at(-1)?.cursor ?? '';
  }

  /** How many messages came again, recognised by their cursors. */
  get duplicates(): number {
    return this.#duplicates;
  }

  /** How often the client was connected. */
  get connections(): number {
    return this.#connections;
  }

  /** Gaps and whatever else no subscriber of this test should see. */
  get troubles(): readonly string[] {
    return this.#troubles;
  }

  connected(): void {
    this.#connections++;
  }

  delivered(delivery: Delivery): void {
    if (this.#cursors.has(delivery.cursor)) {
      this.#duplicates++;
      return;
    }
    this.#cursors.add(delivery.cursor);
    this.#deliveries.push(delivery);
  }

  trouble(text: string): void {
    this.#troubles.push(text);
  }

  /** Takes what came in the JSON envelope: a message, a new position, or a gap. */
  enveloped(text: string): void {
    const message = JSON.parse(text) as {
      readonly channel?: string;
      readonly cursor?: string;
      readonly data?: unknown;
      readonly gap?: unknown;
    };
    const { channel, cursor } = message;
    if (channel !== undefined && cursor !== undefined) {
      this.delivered({ cursor, channel, data: JSON.stringify(message.data) });
    } else if (message.gap !== undefined) {
      this.trouble(`gap: ${text}`);
    } else if (cursor === undefined) {
      this.trouble(`neither a message nor a position: ${text}`);
    }
  }
}
