import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { TestContext } from 'node:test';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { Limits } from '../../src/kernel/index.ts';
import type { HttpHandler } from '../../src/listeners/port.ts';
import { Certificates } from '../support/certificates.ts';
import { type Lab, openLab, type Trust, until } from './lab.ts';

/** A listener with TLS under test. */
export async function openSecureLab(
  t: TestContext,
  handler: HttpHandler,
  overrides: Partial<Limits> = {},
  trust: Trust = {},
): Promise<Lab> {
  const certificates = await Certificates.create(t);
  await certificates.make('server', { names: ['DNS:localhost', 'IP:127.0.0.1'] });
  const tls = { certificates: [certificates.files('server')], minVersion: 'TLSv1.2', clients: null } as const;
  return openLab(t, handler, overrides, tls, trust);
}

/** A connection of Node's own client. */
export async function openSession(
  t: TestContext,
  lab: Lab,
  options: ConnectionOptions = {},
  settings: { readonly strictSingleValueFields?: boolean } = {},
): Promise<ClientHttp2Session> {
  const session = connect(`https://localhost:${lab.listener.port}`, {
    ...settings,
    createConnection: () =>
      connectTls({
        host: '127.0.0.1',
        port: lab.listener.port,
        servername: 'localhost',
        ALPNProtocols: ['h2'],
        rejectUnauthorized: false,
        ...options,
      }),
  });
  session.on('error', () => {});
  t.after(() => session.destroy());
  await once(session, 'connect');
  return session;
}

/** One answer as it came. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A request that keeps what comes back. */
export class Asked {
  readonly stream: ClientHttp2Stream;
  headers: IncomingHttpHeaders | null = null;
  received = '';
  isClosed = false;

  constructor(stream: ClientHttp2Stream) {
    this.stream = stream;
    stream.on('response', (headers) => {
      this.headers = headers;
    });
    stream.on('data', (bytes: Buffer) => {
      this.received += bytes.toString('latin1');
    });
    stream.on('close', () => {
      this.isClosed = true;
    });
    stream.on('error', () => {});
  }

  async until(text: string): Promise<void> {
    await until(
      () => this.received.includes(text),
      () => `${JSON.stringify(text)} in ${JSON.stringify(this.received.slice(-200))}`,
    );
  }

  async answer(): Promise<Answer> {
    await until(
      () => this.isClosed,
      () => `the end after ${JSON.stringify(this.received.slice(-200))}`,
    );
    return { status: Number(this.headers?.[':status']), headers: this.headers ?? {}, body: this.received };
  }
}

export function ask(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders = {},
  body: string | Buffer | null = null,
): Asked {
  const stream = session.request({ ':path': '/', ...headers }, { endStream: body === null });
  if (body !== null) stream.end(body);
  return new Asked(stream);
}

// --- A client that sends what a test says, frame by frame (RFC 9113, section 4.1). ---

export const DATA = 0;
export const HEADERS = 1;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;

export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;

/** What a connection begins with (RFC 9113, section 3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const HEAD_BYTES = 9;

/** A frame that was received. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A number in HPACK, all of whose prefix bits are one (RFC 7541, section 5.1). */
function prefixed(value: number): Buffer {
  if (value < 127) return Buffer.from([value]);
  const octets = [127];
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) octets.push((rest % 128) + 128);
  return Buffer.from([...octets, rest]);
}

/** Fields as literals that are not indexed and not compressed (RFC 7541, section 6.2.2). */
export function fieldBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of fields) {
    parts.push(Buffer.from([0]), prefixed(name.length), Buffer.from(name, 'latin1'));
    parts.push(prefixed(value.length), Buffer.from(value, 'latin1'));
  }
  return Buffer.concat(parts);
}

export const requestFields = (path = '/'): readonly (readonly [string, string])[] => [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', path],
];

/** A complete request without a body. */
export function requestFrame(stream: number, path = '/'): Buffer {
  return frame(HEADERS, END_HEADERS | END_STREAM, stream, fieldBlock(requestFields(path)));
}

/** One setting (RFC 9113, section 6.5.1). */
export function setting(id: number, value: number): Buffer {
  const payload = Buffer.alloc(6);
  payload.writeUInt16BE(id, 0);
  payload.writeUInt32BE(value, 2);
  return payload;
}

export class RawHttp2Client {
  readonly socket: TLSSocket;
  readonly frames: Frame[] = [];
  isClosed = false;
  #rest = Buffer.alloc(0);

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => this.#received(bytes));
    socket.on('close', () => {
      this.isClosed = true;
    });
    socket.on('end', () => socket.end());
    socket.on('error', () => {});
  }

  /** Connects; the preface and the settings are sent unless they are left out. */
  static async open(
    t: TestContext,
    lab: Lab,
    settings: Buffer | null = Buffer.alloc(0),
  ): Promise<RawHttp2Client> {
    const socket = connectTls({
      host: '127.0.0.1',
      port: lab.listener.port,
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
    });
    t.after(() => socket.destroy());
    await once(socket, 'secureConnect');
    const client = new RawHttp2Client(socket);
    if (settings !== null) {
      client.send(PREFACE, frame(SETTINGS, 0, 0, settings));
      await client.frame(SETTINGS);
      client.send(frame(SETTINGS, ACK, 0));
    }
    return client;
  }

  send(...frames: readonly Buffer[]): void {
    if (!this.socket.destroyed && this.socket.writable) this.socket.write(Buffer.concat(frames));
  }

  /** Waits for a frame of this type, and of this stream if one is named. */
  async frame(type: number, stream: number | null = null): Promise<Frame> {
    const isIt = (one: Frame): boolean => one.type === type && (stream === null || one.stream === stream);
    await until(
      () => this.frames.some(isIt),
      () => `a frame ${type} among ${this.frames.map((one) => `${one.type}/${one.stream}`).join(' ')}`,
    );
    return this.frames.find(isIt) as Frame;
  }

  /** The code with which the connection was ended (RFC 9113, section 6.8); null if it was without a word. */
  async ended(): Promise<number | null> {
    await until(
      () => this.isClosed,
      () => 'the end of the connection',
    );
    const last = this.frames.findLast(({ type }) => type === GOAWAY);
    return last === undefined ? null : last.payload.readUInt32BE(4);
  }

  /** Bytes of data that a stream has brought. */
  dataBytes(stream: number): number {
    return this.frames
      .filter((one) => one.type === DATA && one.stream === stream)
      .reduce((sum, { payload }) => sum + payload.length, 0);
  }

  #received(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < end) return;
      this.frames.push({
        type: this.#rest[3],
        flags: this.#rest[4],
        stream: this.#rest.readUInt32BE(5) & 0x7fffffff,
        payload: Buffer.from(this.#rest.subarray(HEAD_BYTES, end)),
      });
      this.#rest = this.#rest.subarray(end);
    }
  }
}
