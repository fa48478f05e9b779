import { Buffer } from 'node:buffer';
import { FilterRequests } from '../../../src/gateway/grip/filter-requests.ts';
import { GripSessions } from '../../../src/gateway/grip-sessions/index.ts';
import type { Opening } from '../../../src/gateway/grip-websocket/events-request.ts';
import type { OriginSocketOwner } from '../../../src/gateway/grip-websocket/origin-socket.ts';
import { OverHttpRequests } from '../../../src/gateway/grip-websocket/over-http-request.ts';
import { OverHttpSocket } from '../../../src/gateway/grip-websocket/over-http-socket.ts';
import { SocketContext } from '../../../src/gateway/grip-websocket/socket-context.ts';
import type { OriginRequest } from '../../../src/gateway/origin/exchange.ts';
import {
  Deadlines,
  type Limits,
  noMetrics,
  resolveLimits,
  seededRandom,
  silentLogger,
  type TidegateError,
} from '../../../src/kernel/index.ts';
import type { Close } from '../../../src/wire/grip/index.ts';
import { FakeChannels } from '../../edges/websocket/fakes.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { ScriptedOrigin } from './scripted-origin.ts';

const HANDSHAKE: OriginRequest = {
  method: 'GET',
  target: '/chat?room=7',
  fields: [
    'Host',
    'origin.example',
    'Cookie',
    'a=b',
    'Accept-Encoding',
    'gzip',
    'Sec-WebSocket-Key',
    'AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Version',
    '13',
    'Sec-WebSocket-Extensions',
    'permessage-deflate',
    'Sec-WebSocket-Protocol',
    'chat',
    'Meta-User',
    'forged',
    'Connection-Id',
    'forged',
    'Grip-Sig',
    'forged',
    'Content-Bytes-Replayed',
    '7',
  ],
  bodyBytes: 0,
  upgrade: 'websocket',
  expects: 'nothing',
};

/** Between an origin that answers as the test says and a client that is what the test does. */
export class OverHttpStage implements OriginSocketOwner {
  readonly clock = new ManualClock();
  readonly origin = new ScriptedOrigin();
  readonly limits: Limits;
  readonly socket: OverHttpSocket;
  readonly openings: Opening[] = [];
  /** What the client was told: `text hello`, `ping 0102`, `close 1000 bye`, `dropped`, `failed code`, `busy`, `ready`. */
  readonly told: string[] = [];
  /** Called for each that is told, before it is kept. */
  onTold: (() => void) | null = null;

  constructor(limits: Partial<Limits> = {}) {
    this.limits = resolveLimits(limits);
    const common = {
      clock: this.clock,
      limits: this.limits,
      logger: silentLogger,
      metrics: noMetrics,
      deadlines: new Deadlines(this.clock, 10),
    };
    const context = new SocketContext({
      ...common,
      random: seededRandom(1),
      channels: new FakeChannels(),
      filters: new FilterRequests(common),
      sessions: new GripSessions(common),
    });
    const requests = new OverHttpRequests(HANDSHAKE, this.origin, context.random);
    this.socket = new OverHttpSocket(context, this.origin, requests, (opening) =>
      this.openings.push(opening),
    );
    this.socket.begin();
  }

  /** An origin that has accepted, with `events` behind OPEN and further fields of the answer. */
  static opened(
    limits: Partial<Limits> = {},
    fields: readonly string[] = [],
    events: string = '',
  ): OverHttpStage {
    const stage = new OverHttpStage(limits);
    stage.origin.last.answer({ body: `OPEN\r\n${events}`, fields });
    stage.socket.open(stage);
    return stage;
  }

  /** How the opening went. */
  get opening(): Opening['kind'] | null {
    return this.openings.at(0)?.kind ?? null;
  }

  /** What was told since the last call. */
  takeTold(): readonly string[] {
    return this.told.splice(0);
  }

  send(...contents: readonly string[]): void {
    for (const content of contents) this.socket.sendMessage('text', Buffer.from(content));
  }

  #tell(what: string): void {
    this.onTold?.();
    this.told.push(what);
  }

  originMessage(kind: 'text' | 'binary', content: Buffer): void {
    this.#tell(`${kind} ${content.toString(kind === 'text' ? 'utf8' : 'hex')}`);
  }

  originPing(content: Buffer): void {
    this.#tell(`ping ${content.toString('latin1')}`);
  }

  originPong(content: Buffer): void {
    this.#tell(`pong ${content.toString('latin1')}`);
  }

  originClosed({ code, reason }: Close): void {
    this.#tell(`close ${code} ${reason}`);
  }

  originDropped(): void {
    this.#tell('dropped');
  }

  originFailed(error: TidegateError): void {
    this.#tell(`failed ${error.code}`);
  }

  originBusy(): void {
    this.#tell('busy');
  }

  originReady(): void {
    this.#tell('ready');
  }
}
