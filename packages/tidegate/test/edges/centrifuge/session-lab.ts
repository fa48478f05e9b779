import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { PresenceRegistry } from '../../../src/channels/index.ts';
import { webSocketCarrier } from '../../../src/edges/centrifuge/carrier.ts';
import { ClientMetrics } from '../../../src/edges/centrifuge/client-metrics.ts';
import type { ClientTransport } from '../../../src/edges/centrifuge/client-transport.ts';
import { ClientRegistry } from '../../../src/edges/centrifuge/clients.ts';
import { jsonCodec } from '../../../src/edges/centrifuge/codec-json.ts';
import type { RpcHandler, SessionContext } from '../../../src/edges/centrifuge/context.ts';
import { Format } from '../../../src/edges/centrifuge/format.ts';
import { Session } from '../../../src/edges/centrifuge/session.ts';
import type { Disconnect } from '../../../src/edges/centrifuge/status.ts';
import { type Limits, noMetrics, resolveLimits, seededRandom } from '../../../src/kernel/index.ts';
import { clock, hub } from '../../support/hub-fixture.ts';
import { receive } from '../../wire/websocket/recorder.ts';
import { TableAccess, type TableEntry } from './table-access.ts';

export interface LabSettings {
  readonly limits?: Partial<Limits>;
  readonly table?: Readonly<Record<string, TableEntry>>;
  readonly anonymous?: TableEntry;
  readonly rpc?: RpcHandler;
}

/** What all sessions of a test share, over the fixture's hub. */
export class SessionLab {
  readonly access: TableAccess;
  readonly context: SessionContext;

  constructor({ limits = {}, table = {}, anonymous, rpc }: LabSettings = {}) {
    const resolved = resolveLimits(limits);
    this.access = new TableAccess(hub, table, anonymous);
    this.context = {
      access: this.access,
      presence: new PresenceRegistry(resolved),
      clients: new ClientRegistry(),
      clock,
      random: seededRandom(3),
      limits: resolved,
      figures: new ClientMetrics(noMetrics, { connections: () => 0, members: () => 0, unlisted: () => 0 }),
      format: new Format(jsonCodec, webSocketCarrier('json'), resolved),
      version: '1.2.3',
      rpc: rpc ?? null,
    };
  }

  /** A client that is connected already, unless it shall not be. */
  async connect(token = ''): Promise<TestClient> {
    const client = new TestClient(this.context);
    await client.ask({ id: 1, connect: token === '' ? {} : { token } });
    return client;
  }

  arrive(credential = ''): TestClient {
    return new TestClient(this.context, credential);
  }
}

/** What a session sends, and what is in it. */
export type Reply = Readonly<Record<string, unknown>>;

/** The client's end of a session: what it is sent, as the objects that it parses. */
export class TestClient implements ClientTransport {
  readonly session: Session;
  /** Whether what is sent finds room. */
  room = true;
  paused = false;
  ended: Disconnect | null = null;
  /** How many WebSocket messages came. */
  frames = 0;
  #replies: Reply[] = [];

  constructor(context: SessionContext, credential = '') {
    this.session = new Session(context, this, {
      from: '127.0.0.1',
      credential,
      unnamed: context.access.anonymous,
      session: '',
      node: '',
    });
  }

  /** Sends commands as the lines of one frame, lets the turn end, and returns what came. */
  async ask(...commands: readonly object[]): Promise<readonly Reply[]> {
    this.sendText(commands.map((command) => JSON.stringify(command)).join('\n'));
    await clock.settle();
    return this.take();
  }

  /** Sends one frame. */
  sendText(text: string): void {
    this.session.receive(Buffer.from(text));
  }

  take(): readonly Reply[] {
    const replies = this.#replies;
    this.#replies = [];
    return replies;
  }

  drain(): void {
    this.room = true;
    this.session.drained();
  }

  // --- The transport. ---

  send(bytes: Buffer): boolean {
    for (const told of receive(Buffer.from(bytes), { role: 'client', messageBytesMax: 1 << 24 }).told) {
      this.frames++;
      const text = told.slice(told.indexOf('{'));
      for (const line of text.split('\n')) this.#replies.push(JSON.parse(line));
    }
    return this.room;
  }

  disconnect(reason: Disconnect): void {
    this.ended = reason;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}

/** The result of the first reply. */
export function result(replies: readonly Reply[], method: string): Reply {
  assert.ok(method in (replies[0] ?? {}), JSON.stringify(replies));
  return replies[0][method] as Reply;
}

export const pushes = (replies: readonly Reply[]): readonly unknown[] => replies.map(({ push }) => push);
