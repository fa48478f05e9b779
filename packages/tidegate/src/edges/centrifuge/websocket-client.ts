import type { Buffer } from 'node:buffer';
import type { Liveness, Watched } from '../../kernel/index.ts';
import type { ByteChannel, ByteChannelOwner } from '../../listeners/port.ts';
import { type ReceiverPool, WebSocketConnection } from '../../wire/websocket/index.ts';
import type { Arrival, ClientTransport } from './client-transport.ts';
import type { SessionContext } from './context.ts';
import { Session } from './session.ts';
import { DISCONNECT, type Disconnect } from './status.ts';

/** A session over WebSocket: each message from the client is a frame of commands. */
export class WebSocketClient
  extends WebSocketConnection
  implements ByteChannelOwner, Watched, ClientTransport
{
  slot = 0;
  readonly #session: Session;
  readonly #liveness: Liveness;
  #transport: ByteChannel | null = null;

  constructor(context: SessionContext, arrival: Arrival, receivers: ReceiverPool, liveness: Liveness) {
    super(receivers);
    this.#liveness = liveness;
    this.#session = new Session(context, this, arrival);
  }

  /** To be called once, with the upgraded connection. */
  open(transport: ByteChannel): void {
    this.attach(transport);
    this.#transport = transport;
    this.#liveness.add(this);
  }

  // --- The session's side. ---

  disconnect({ code, reason }: Disconnect): void {
    this.close(code, reason);
    this.#liveness.closing(this);
  }

  pause(): void {
    this.#transport?.pause();
  }

  resume(): void {
    this.#transport?.resume();
  }

  // --- The connection's side. ---

  override message(data: Buffer): void {
    this.#session.receive(data);
  }

  override pong(): void {
    this.#session.ponged();
  }

  received(slice: Buffer): void {
    this.receive(slice);
  }

  receivedEnd(): void {
    this.receiveEnd();
  }

  drained(): void {
    this.transportDrained();
    if (!this.isBlocked) this.#session.drained();
  }

  closed(): void {
    this.transportClosed();
    this.#session.closed();
    this.#liveness.delete(this);
  }

  draining(): void {
    this.#session.disconnect(DISCONNECT.shutdown);
  }

  visited(): void {
    if (this.state === 'open') this.#session.visited();
  }

  closeTimedOut(): void {
    this.drop();
  }
}
