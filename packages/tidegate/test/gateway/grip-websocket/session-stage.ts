import { Buffer } from 'node:buffer';
import type { Channels } from '../../../src/channels/index.ts';
import { FilterRequests } from '../../../src/gateway/grip/filter-requests.ts';
import { eventsOf } from '../../../src/gateway/grip/item-events.ts';
import type { Attendance } from '../../../src/gateway/grip-attendance/port.ts';
import type { ListPresent } from '../../../src/gateway/grip-presence/port.ts';
import { GripSessions } from '../../../src/gateway/grip-sessions/index.ts';
import type { OriginSocket } from '../../../src/gateway/grip-websocket/origin-socket.ts';
import { GripSession } from '../../../src/gateway/grip-websocket/session.ts';
import { SocketContext } from '../../../src/gateway/grip-websocket/socket-context.ts';
import {
  Deadlines,
  type Limits,
  type LogFields,
  type Logger,
  type Metrics,
  noMetrics,
  resolveLimits,
  seededRandom,
  silentLogger,
} from '../../../src/kernel/index.ts';
import { type Close, parsePublishItem } from '../../../src/wire/grip/index.ts';
import { FakeTransport } from '../../edges/websocket/fakes.ts';
import { clock, hub } from '../../support/hub-fixture.ts';
import { publish } from '../../support/test-hub.ts';
import { clientFrame } from '../../wire/websocket/recorder.ts';
import { ScriptedOrigin } from './scripted-origin.ts';

/** An origin that keeps what it is told. */
export class FakeOriginSocket implements OriginSocket {
  answersPings = false;
  readonly told: string[] = [];

  sendMessage(kind: string, content: Buffer): void {
    this.told.push(`${kind} ${content}`);
  }

  sendPing(content: Buffer): void {
    this.told.push(`ping ${content}`);
  }

  sendPong(content: Buffer): void {
    this.told.push(`pong ${content}`);
  }

  close({ code, reason }: Close): void {
    this.told.push(`close ${code} ${reason}`);
  }

  disconnect(): void {
    this.told.push('disconnect');
  }

  detach(): void {
    this.told.push('detach');
  }

  refresh(): void {
    this.told.push('refresh');
  }

  setSession(id: string | null): void {
    this.told.push(`session ${id}`);
  }

  pause(): void {
    this.told.push('pause');
  }

  resume(): void {
    this.told.push('resume');
  }

  take(): readonly string[] {
    return this.told.splice(0);
  }
}

export interface SessionStageOptions {
  readonly limits?: Partial<Limits>;
  /** Null for an origin that has not accepted `grip`. */
  readonly messagePrefix?: string | null;
  readonly channelPrefix?: string;
  /** What the route subscribes to. */
  readonly routeChannels?: readonly string[];
  /** By default the hub. */
  readonly channels?: Channels;
  /** By default nobody wants to know who is there. */
  readonly attendance?: Attendance | null;
  /** By default nobody is listed as present. */
  readonly present?: ListPresent | null;
  /** By default the origin has no name for the connection. */
  readonly connectionId?: string | null;
}

/** A session between a client, an origin that are the test, and the hub of the fixture. */
export class SessionStage {
  readonly transport = new FakeTransport();
  readonly origin = new FakeOriginSocket();
  /** Where filters are asked for. */
  readonly route = new ScriptedOrigin();
  readonly session: GripSession;
  readonly limits: Limits;
  readonly warnings: string[] = [];
  /** Counters, by their names without prefix and `_total`. */
  readonly counts: Record<string, number> = {};
  ended = 0;

  constructor({
    limits = {},
    messagePrefix = 'm:',
    channelPrefix = '',
    routeChannels = [],
    channels = hub,
    attendance = null,
    present = null,
    connectionId = null,
  }: SessionStageOptions = {}) {
    this.limits = resolveLimits(limits);
    const logger: Logger = {
      ...silentLogger,
      warn: (_fields: LogFields, message: string) => this.warnings.push(message),
    };
    const metrics: Metrics = {
      ...noMetrics,
      counter: ({ name }) => ({
        add: (amount) => {
          const short = name.replace(/^tidegate_grip_websocket_|_total$/g, '');
          this.counts[short] = (this.counts[short] ?? 0) + amount;
        },
      }),
    };
    const common = { clock, limits: this.limits, logger, metrics, deadlines: new Deadlines(clock, 10) };
    const context = new SocketContext({
      ...common,
      random: seededRandom(1),
      channels,
      attendance,
      present,
      filters: new FilterRequests(common),
      sessions: new GripSessions(common),
    });
    this.session = new GripSession(context, {
      request: { remoteAddress: '127.0.0.1', scheme: 'http' },
      connectionId,
      mode: 'over_http',
      route: 'test',
      rule: { prefix: channelPrefix, channels: routeChannels },
      filterScope: {
        route: this.route,
        base: { authority: 'origin.example', publicAuthority: 'public.example', target: '/chat' },
      },
      messagePrefix: messagePrefix === null ? null : { bytes: Buffer.from(messagePrefix) },
      ended: () => this.ended++,
    });
    this.session.open(this.transport, this.origin);
  }

  /** The origin sends control messages. */
  async control(...messages: readonly Record<string, unknown>[]): Promise<void> {
    for (const message of messages) {
      this.session.originMessage('text', Buffer.from(`c:${JSON.stringify(message)}`));
    }
    await clock.settle();
  }

  async subscribe(channel: string, others: Record<string, unknown> = {}): Promise<void> {
    await this.control({ type: 'subscribe', channel, ...others });
  }

  /** The origin sends a text. */
  say(text: string): void {
    this.session.originMessage('text', Buffer.from(text));
  }

  /** The client sends a frame. */
  receive(firstByte: number, payload: string | Uint8Array = ''): void {
    this.session.client.received(clientFrame(firstByte, payload));
  }

  /** What the client got since the last call. */
  frames(): readonly string[] {
    return this.transport.frames();
  }

  /** The connection of the client ends. */
  drop(): void {
    this.session.client.closed();
  }
}

/** Publishes a GRIP item with `ws-message`, or with the formats given. */
export async function publishItem(
  channel: string,
  message: Record<string, unknown> | string,
  others: Record<string, unknown> = {},
): Promise<void> {
  const formats = typeof message === 'string' ? { content: message } : message;
  const item = { channel, formats: { 'ws-message': formats }, ...others };
  const done = publish(hub, ...eventsOf(parsePublishItem(item, resolveLimits())));
  await clock.settle();
  await done;
}
