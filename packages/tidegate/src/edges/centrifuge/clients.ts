import type { Disconnect } from './status.ts';
import type { SubscribeOptions } from './subscribe-options.ts';

/** A connection, as those see it who manage others'. */
export interface ConnectedClient {
  readonly client: string;
  readonly user: string;
  /**
   * Subscribes it from the server's side, unless it is subscribed or its limits do not allow it. Calls back when that is done, now or later,
   * and once the connection has ended.
   */
  subscribeByServer(channel: string, options: SubscribeOptions, done: () => void): void;
  /** Ends its subscription to a channel, and tells it so; does nothing if there is none. */
  unsubscribeByServer(channel: string): void;
  disconnect(reason: Disconnect): void;
}

/** All connections of this process that are past their connect command, by user. */
export class ClientRegistry {
  readonly #byUser = new Map<string, Set<ConnectedClient>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** How many users have connections. */
  get users(): number {
    return this.#byUser.size;
  }

  add(client: ConnectedClient): void {
    let clients = this.#byUser.get(client.user);
    if (clients === undefined) {
      clients = new Set();
      this.#byUser.set(client.user, clients);
    }
    clients.add(client);
    this.#size++;
  }

  delete(client: ConnectedClient): void {
    const clients = this.#byUser.get(client.user);
    if (clients?.delete(client) !== true) return;
    this.#size--;
    if (clients.size === 0) this.#byUser.delete(client.user);
  }

  /** The connections of a user; with `client`, the one of that id. A snapshot. */
  of(user: string, client: string): readonly ConnectedClient[] {
    const clients = [...(this.#byUser.get(user) ?? [])];
    return client === '' ? clients : clients.filter((candidate) => candidate.client === client);
  }
}
