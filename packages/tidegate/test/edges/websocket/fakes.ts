import { Buffer } from 'node:buffer';
import type {
  Channels,
  PublishCallback,
  PublishedEvent,
  PublishReceipt,
  SubscribeRequest,
  Subscription,
} from '../../../src/channels/index.ts';
import { type ErrorForm, WebSocketSession } from '../../../src/edges/websocket/session.ts';
import { type Limits, Liveness, resolveLimits, type TidegateError } from '../../../src/kernel/index.ts';
import type { ByteChannel } from '../../../src/listeners/port.ts';
import { ReceiverPool } from '../../../src/wire/websocket/index.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { receive, SERVER } from '../../wire/websocket/recorder.ts';

/** A transport that keeps what it is told. */
export class FakeTransport implements ByteChannel {
  /** Whether writes keep pace. */
  room = true;
  state: 'open' | 'ended' | 'destroyed' = 'open';
  paused = false;
  #written: Buffer[] = [];

  write(bytes: Buffer): boolean {
    this.#written.push(Buffer.from(bytes));
    return this.room;
  }

  end(last?: Buffer): void {
    if (last !== undefined) this.#written.push(last);
    this.state = 'ended';
  }

  destroy(): void {
    this.state = 'destroyed';
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  /** The frames written since the last call, as a client reads them. */
  frames(): readonly string[] {
    const bytes = Buffer.concat(this.#written);
    this.#written = [];
    return receive(bytes, { role: 'client' }).told;
  }
}

/** Channels that keep what is published until the test answers it. */
export class FakeChannels implements Channels {
  readonly published: { readonly events: readonly PublishedEvent[]; readonly done: PublishCallback }[] = [];

  publish(events: readonly PublishedEvent[], _protocol: string, done: PublishCallback): void {
    this.published.push({ events, done });
  }

  reach(_channels: readonly string[], _footing: unknown, ready: () => void): void {
    ready();
  }

  /** Answers the oldest publish: every event of it with the same outcome. */
  answer(error?: TidegateError): void {
    const { events, done } = this.published.shift()!;
    done(
      events.map(
        ({ channel }) =>
          error ?? ({ channel, id: '', cursor: '', duplicate: false } satisfies PublishReceipt),
      ),
    );
  }

  /** The texts of what was published and not answered. */
  get texts(): string[] {
    return this.published.flatMap(({ events }) => events.map(({ data }) => String(data)));
  }

  subscribe(_request: SubscribeRequest): Subscription {
    throw new Error('not asked for in these tests');
  }

  drain(): void {}
}

export class FakeSubscription implements Subscription {
  drainedCalls = 0;
  isClosed = false;

  drained(): void {
    this.drainedCalls++;
  }

  cursor(): string {
    return 'orders~Q3kZ8fTn1xYb~0~18';
  }

  close(): void {
    this.isClosed = true;
  }
}

/** A session between fakes. */
export class SessionStage {
  readonly clock = new ManualClock();
  readonly limits: Limits;
  readonly transport = new FakeTransport();
  readonly channels = new FakeChannels();
  readonly subscription = new FakeSubscription();
  readonly session: WebSocketSession;

  constructor(errorForm: ErrorForm = 'frame', limits: Partial<Limits> = {}) {
    this.limits = resolveLimits(limits);
    const liveness = new Liveness({
      clock: this.clock,
      intervalMs: this.limits.keepAliveIntervalMs,
      closeTimeoutMs: this.limits.webSocketCloseTimeoutMs,
    });
    const { channels } = this;
    const receivers = new ReceiverPool(SERVER);
    this.session = new WebSocketSession('orders/42', channels, {
      limits: this.limits,
      liveness,
      receivers,
      errorForm,
    });
    this.session.open(this.transport, this.subscription);
  }
}
