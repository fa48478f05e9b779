import { EntryPublisher } from '../support/entries.ts';
import type { Protocol } from '../support/options.ts';
import { numberedPayload } from '../support/payload.ts';
import { removeScratchFolder, scratchFolder } from '../support/scratch.ts';
import type { ResumableServer, Spread } from './resumable.ts';
import { subscribeRequest, TidegateProcess } from './tidegate.ts';

const BATCH = 5000;

/** Tidegate with the channels of the storm in the topic `default`, among `keys` other ones. */
export async function resumableTidegate(keys: number): Promise<ResumableServer> {
  const folder = scratchFolder('resume');
  const server = await TidegateProcess.start(folder);
  const publisher = new EntryPublisher(server.port);
  for (let key = 0; key < keys; key += BATCH) {
    const channels = Array.from({ length: Math.min(BATCH, keys - key) }, (_, index) => `user:${key + index}`);
    await publisher.publish(channels, numberedPayload(0));
  }
  await publisher.settle();
  return new ResumableTidegate(server, publisher, folder);
}

class ResumableTidegate implements ResumableServer {
  readonly name = 'tidegate';
  readonly version = 'Tidegate, one process';
  readonly durability = 'synced';
  readonly spreads = ['one channel', 'a channel each'] as const;
  readonly protocols = ['sse', 'websocket'] as const;
  readonly #server: TidegateProcess;
  readonly #publisher: EntryPublisher;
  readonly #folder: string;
  #channels: readonly string[] = [];
  #cursors: readonly string[] = [];

  constructor(server: TidegateProcess, publisher: EntryPublisher, folder: string) {
    this.#server = server;
    this.#publisher = publisher;
    this.#folder = folder;
  }

  get pid(): number {
    return this.#server.pid;
  }

  get port(): number {
    return this.#server.port;
  }

  async fill(spread: Spread, subscribers: number, behind: number): Promise<void> {
    // No topic is declared by the name of a first segment, so `default` stores them all.
    this.#channels =
      spread === 'one channel'
        ? ['storm-one']
        : Array.from({ length: subscribers }, (_, index) => `storm-each/${index}`);
    await this.#publisher.publish(this.#channels, numberedPayload(0));
    this.#cursors = (await this.#publisher.settle()).map(({ cursor }) => cursor);
    for (let sequence = 0; sequence < behind; sequence++) {
      await this.#publisher.publish(this.#channels, numberedPayload(sequence));
    }
    await this.#publisher.settle();
  }

  requests(protocol: Protocol): readonly string[] {
    return this.#channels.map((channel, index) =>
      subscribeRequest(channel, protocol, `?from=${encodeURIComponent(this.#cursors[index]!)}`),
    );
  }

  async publishNext(sequence: number): Promise<void> {
    await this.#publisher.publish(this.#channels, numberedPayload(sequence));
    await this.#publisher.settle();
  }

  async stop(): Promise<void> {
    this.#publisher.close();
    await this.#server.stop();
    removeScratchFolder(this.#folder);
  }
}
