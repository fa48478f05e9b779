/** An event of WebSocket-over-HTTP: its type, and the content that it has. */
export interface SocketEvent {
  readonly type: string;
  readonly content: Uint8Array;
}

const CR = 0x0d;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const NONE = new Uint8Array(0);

/** Reads a body of events, each `TYPE[ hexlength CRLF content] CRLF`. */
export function parseEvents(body: Uint8Array): readonly SocketEvent[] {
  const events: SocketEvent[] = [];
  for (let at = 0; at < body.length; ) {
    const lineEnd = body.indexOf(CR, at);
    if (lineEnd === -1) throw new Error('The body of events is not complete');
    const [type, length] = decoder.decode(body.subarray(at, lineEnd)).split(' ');
    at = lineEnd + 2;
    if (length === undefined) {
      events.push({ type, content: NONE });
      continue;
    }
    const contentEnd = at + Number.parseInt(length, 16);
    events.push({ type, content: body.subarray(at, contentEnd) });
    at = contentEnd + 2;
  }
  return events;
}

export const textOf = ({ content }: SocketEvent): string => decoder.decode(content);

/** An event without content, such as OPEN. */
export const plain = (type: string): Uint8Array => encoder.encode(`${type}\r\n`);

/** A message for the client; `m:` stands before what is for it, and `c:` before what is for the gateway. */
export function text(content: string): Uint8Array {
  const bytes = encoder.encode(content);
  return encoder.encode(`TEXT ${bytes.length.toString(16)}\r\n${content}\r\n`);
}

/** The end, with a code and a reason. */
export function close(code: number, reason: string): Uint8Array {
  const content = new Uint8Array([code >> 8, code & 0xff, ...encoder.encode(reason)]);
  return join([encoder.encode(`CLOSE ${content.length.toString(16)}\r\n`), content, encoder.encode('\r\n')]);
}

export function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
