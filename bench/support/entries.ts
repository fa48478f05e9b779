import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

/** Publishes batches that the native publisher cannot: with a different channel in every entry. One request at a time, so order is kept. */
export class EntryPublisher {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #port: number;
  #last: Promise<string> = Promise.resolve('{"results":[]}');

  constructor(port: number) {
    this.#port = port;
  }

  /**
   * Publishes one message to each channel; the text of the message needs no escaping in JSON. Resolves when the batch before
   * this one is stored, so that the next one is put together while this one is under way.
   */
  async publish(channels: readonly string[], data: string): Promise<void> {
    const entries = channels.map((channel) => `{"channel":"${channel}","data":"${data}"}`);
    const body = Buffer.from(`[${entries.join(',')}]`);
    const before = this.#last;
    this.#last = before.then(() => this.#post(body));
    await before;
  }

  /** Waits until everything is stored. The receipts of the last batch, in its order. */
  async settle(): Promise<readonly { readonly cursor: string }[]> {
    const { results } = JSON.parse(await this.#last) as {
      readonly results: readonly { readonly cursor?: string }[];
    };
    return results.map(({ cursor }) => {
      if (cursor === undefined) throw new Error('a message of the batch was not stored');
      return { cursor };
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  async #post(body: Buffer): Promise<string> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length };
      const options = {
        port: this.#port,
        host: '127.0.0.1',
        method: 'POST',
        path: '/v1/publish',
        headers,
        agent: this.#agent,
      };
      request(options, resolve).once('error', reject).end(body);
    });
    const answer = await text(response);
    if (response.statusCode !== 200)
      throw new Error(`a batch was refused: ${response.statusCode} ${answer.slice(0, 500)}`);
    return answer;
  }
}
