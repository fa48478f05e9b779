import type { Buffer } from 'node:buffer';
import type { PresenceList } from '../../channels/index.ts';
import { actOn, type ClientAction } from './client-action.ts';
import type { ClientRegistry } from './clients.ts';
import type { NodeDescription, ProcessConnections } from './processes.ts';
import type { ClientInfo } from './protocol.ts';
import type { StreamClient } from './stream-client.ts';

/** What the connections of this process are known by. */
export interface OwnConnectionsOptions {
  readonly node: string;
  readonly version: string;
  readonly clients: ClientRegistry;
  readonly presence: PresenceList<ClientInfo>;
}

/** The connections of this process. */
export class OwnConnections implements ProcessConnections {
  readonly node: string;
  /** Those that take their commands from /emulation, by their secret names. */
  readonly streams = new Map<string, StreamClient>();
  readonly #options: OwnConnectionsOptions;

  constructor(options: OwnConnectionsOptions) {
    this.node = options.node;
    this.#options = options;
  }

  act(action: ClientAction, done: () => void): void {
    actOn(this.#options.clients, action, done);
  }

  describe(): NodeDescription {
    const { node, version, clients, presence } = this.#options;
    const { members, channels } = presence.counts();
    return {
      uid: node,
      name: 'tidegate',
      version,
      num_clients: clients.size,
      num_users: clients.users,
      num_subs: members,
      num_channels: channels,
    };
  }

  emulate(session: string, commands: Buffer): boolean {
    const client = this.streams.get(session);
    client?.session.receive(commands);
    return client !== undefined;
  }
}
