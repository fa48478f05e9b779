import type { Identity } from '../../access/port.ts';
import type { OutboxTransport } from './outbox.ts';
import type { Disconnect } from './status.ts';

/** What carries a session. */
export interface ClientTransport extends OutboxTransport {
  /** Ends the connection and tells the client why. */
  disconnect(reason: Disconnect): void;
  /** Stops and restarts taking commands from the client, as far as it can be stopped. */
  pause(): void;
  resume(): void;
}

/** What a transport knows of the client before it has said anything. */
export interface Arrival {
  /** The address of the client. */
  readonly from: string;
  /** The credential of the request that began the connection; empty for none. One in the connect command takes its place. */
  readonly credential: string;
  /** Who it is that connects, as long as no credential says otherwise: whom a certificate names, or nobody in particular. */
  readonly unnamed: Identity;
  /** What names the connection in emulation requests; empty for connections that go both ways. */
  readonly session: string;
  readonly node: string;
}
