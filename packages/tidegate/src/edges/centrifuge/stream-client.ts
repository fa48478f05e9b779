import type { Buffer } from 'node:buffer';
import type { Liveness, Watched } from '../../kernel/index.ts';
import type { ByteChannel, ByteChannelOwner, StreamFraming } from '../../listeners/port.ts';
import { endOfStream } from '../../wire/http1/index.ts';
import type { Arrival, ClientTransport } from './client-transport.ts';
import type { SessionContext } from './context.ts';
import { Session } from './session.ts';
import { DISCONNECT, type Disconnect } from './status.ts';

/** A session whose replies are a response that does not end, and whose commands come by requests of their own. */
export class StreamClient implements ByteChannelOwner, Watched, ClientTransport {
  slot = 0;
  readonly session: Session;
  readonly #context: SessionContext;
  readonly #liveness: Liveness;
  readonly #framing: StreamFraming;
  readonly #gone: () => void;
  #channel: ByteChannel | null = null;

  /** @param gone called when the connection is gone */
  constructor(
    context: SessionContext,
    arrival: Arrival,
    liveness: Liveness,
    framing: StreamFraming,
    gone: () => void,
  ) {
    this.#context = context;
    this.#liveness = liveness;
    this.#framing = framing;
    this.#gone = gone;
    this.session = new Session(context, this, arrival);
  }

  /** To be called once, with the response. */
  open(channel: ByteChannel): void {
    this.#channel = channel;
    this.#liveness.add(this);
  }

  // --- The session's side. ---

  send(bytes: Buffer): boolean {
    return this.#channel?.write(bytes) ?? false;
  }

  disconnect({ code, reason }: Disconnect): void {
    const channel = this.#channel;
    this.#channel = null;
    // A client that does not read would not see a polite end, and what is queued for it would stay.
    if (this.session.outbox.isBlocked) {
      channel?.destroy();
      return;
    }
    channel?.write(this.#context.format.push({ kind: 'disconnect', code, reason }));
    channel?.end(endOfStream(this.#framing));
  }

  /** Commands come by other connections: their number is bounded by the session. */
  pause(): void {}

  resume(): void {}

  // --- The connection's side. ---

  received(): void {}

  receivedEnd(): void {}

  drained(): void {
    this.session.drained();
  }

  closed(): void {
    this.#channel = null;
    this.session.closed();
    this.#liveness.delete(this);
    this.#gone();
  }

  draining(): void {
    this.session.disconnect(DISCONNECT.shutdown);
  }

  visited(): void {
    this.session.visited();
  }

  closeTimedOut(): void {}
}
