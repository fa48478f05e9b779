import { Buffer, isUtf8 } from 'node:buffer';
import { ByteWriter, EMPTY, type Limits, TidegateError } from '../../kernel/index.ts';
import { allowedClose, type Close } from './close.ts';

/** An event of WebSocket-over-HTTP. */
export type WebSocketEvent =
  | { readonly type: 'OPEN' }
  | { readonly type: 'TEXT' | 'BINARY' | 'PING' | 'PONG'; readonly content: Uint8Array }
  | ({ readonly type: 'CLOSE' } & Close)
  /** The connection ended without a close frame. */
  | { readonly type: 'DISCONNECT' };

/** The media type of a body of events. */
export const WEBSOCKET_EVENTS_MEDIA_TYPE = 'application/websocket-events';

const CR = 0x0d;
const LF = 0x0a;
/** The longest line there can be: a type, a space, and a length of eight digits. */
const LINE_BYTES_MAX = 'DISCONNECT 00000000'.length;
const LINE = /^([A-Z]+)(?: ([0-9A-Fa-f]{1,8}))?$/;
const CONTROL_BYTES_MAX = 125;

/**
 * Reads a complete body of events, each `TYPE[ hexlength CRLF content] CRLF`. Content is a view into the body. Close codes that
 * must not be sent become ones that may.
 * @throws TidegateError grip_instruct_invalid, naming the position in bytes
 */
export function parseWebSocketEvents(body: Buffer, limits: Limits): readonly WebSocketEvent[] {
  if (body.length > limits.webSocketEventsBytesMax) {
    throw fault(`The body has ${body.length} bytes; the limit is ${limits.webSocketEventsBytesMax}`);
  }
  const events: WebSocketEvent[] = [];
  for (let at = 0; at < body.length; ) {
    if (events.length === limits.webSocketEventsMax) {
      throw fault(`There are more than ${limits.webSocketEventsMax} events`);
    }
    const position = at;
    const lineEnd = body.indexOf(CR, at);
    const line =
      lineEnd === -1 || lineEnd - at > LINE_BYTES_MAX || body[lineEnd + 1] !== LF
        ? null
        : LINE.exec(body.toString('latin1', at, lineEnd));
    if (line === null) throw fault(`There is no event at byte ${position}`);
    at = lineEnd + 2;
    let content: Buffer | null = null;
    if (line[2] !== undefined) {
      const end = at + Number.parseInt(line[2], 16);
      if (end + 2 > body.length) throw fault(`The event at byte ${position} is not complete`);
      if (body[end] !== CR || body[end + 1] !== LF) {
        throw fault(`The event at byte ${position} does not end where its length says`);
      }
      content = body.subarray(at, end);
      at = end + 2;
    }
    events.push(eventOf(line[1], content ?? EMPTY, position));
  }
  return events;
}

function eventOf(type: string, content: Buffer, position: number): WebSocketEvent {
  switch (type) {
    case 'OPEN':
    case 'DISCONNECT':
      if (content.length > 0) throw fault(`The ${type} at byte ${position} has content`);
      return { type };
    case 'TEXT':
      if (!isUtf8(content)) throw fault(`The TEXT at byte ${position} is not UTF-8`);
      return { type, content };
    case 'BINARY':
      return { type, content };
    case 'PING':
    case 'PONG':
      if (content.length > CONTROL_BYTES_MAX) {
        throw fault(`The ${type} at byte ${position} has more than ${CONTROL_BYTES_MAX} bytes`);
      }
      return { type, content };
    case 'CLOSE':
      if (content.length === 1) throw fault(`The CLOSE at byte ${position} has half a code`);
      if (content.length === 0) return { type, ...allowedClose(null, '') };
      return { type, ...allowedClose(content.readUInt16BE(0), content.toString('utf8', 2)) };
    default:
      throw fault(`The event at byte ${position} has the unknown type ${type}`);
  }
}

function fault(problem: string): TidegateError {
  return new TidegateError('grip_instruct_invalid', `WebSocket events: ${problem}.`);
}

/** Writes events. Those that may do without content have none if it is empty. */
export function encodeWebSocketEvents(events: readonly WebSocketEvent[]): Buffer {
  const out = new ByteWriter(256);
  for (const event of events) {
    switch (event.type) {
      case 'OPEN':
      case 'DISCONNECT':
        writeEvent(out, event.type, null);
        break;
      case 'CLOSE':
        writeEvent(out, event.type, closeContent(event));
        break;
      case 'PING':
      case 'PONG':
        writeEvent(out, event.type, event.content.length === 0 ? null : event.content);
        break;
      default:
        writeEvent(out, event.type, event.content);
    }
  }
  return out.take();
}

function writeEvent(out: ByteWriter, type: string, content: Uint8Array | null): void {
  if (content === null) {
    out.ascii(`${type}\r\n`);
  } else {
    out.ascii(`${type} ${content.length.toString(16)}\r\n`);
    out.bytes(content);
    out.ascii('\r\n');
  }
}

function closeContent({ code, reason }: Close): Buffer | null {
  const close = allowedClose(code, reason);
  if (close.code === null) return null;
  const content = Buffer.allocUnsafe(2 + Buffer.byteLength(close.reason));
  content.writeUInt16BE(close.code, 0);
  content.write(close.reason, 2, 'utf8');
  return content;
}
