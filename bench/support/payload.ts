/** An unstamped payload, see native/payload.h: the publisher writes lane, sequence and time into it. */
const BLANK = '|000:00000000:0000000000000000:';
const SEQUENCE_AT = 5;

/** A message of `bytes` printable bytes that needs no escaping in JSON, SSE or a URL's query. */
export function blankPayload(bytes = 100): string {
  const filler = 'abcdefghijklmnopqrstuvwxyz';
  const room = bytes - BLANK.length - 1;
  if (room < 0) throw new RangeError(`a payload has at least ${BLANK.length + 1} bytes`);
  return `${BLANK}${filler.repeat(Math.ceil(room / filler.length)).slice(0, room)}|`;
}

/** A message of lane 0 with its sequence, and without a time. */
export function numberedPayload(sequence: number, bytes = 100): string {
  const blank = blankPayload(bytes);
  return `${blank.slice(0, SEQUENCE_AT)}${String(sequence).padStart(8, '0')}${blank.slice(SEQUENCE_AT + 8)}`;
}

/** `count` times the same text. */
export function repeated(count: number, text: string, separator = ''): string {
  return Array.from({ length: count }, () => text).join(separator);
}

/** An HTTP/1.1 POST with a body of known length. */
export function postRequest(
  target: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join('')}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return Buffer.from(head + body);
}

/** The head of a GET, for `native/subscribe.c`. */
export function getRequest(target: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join('')}\r\n`;
}

export const webSocketHeaders: Readonly<Record<string, string>> = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGlkZWdhdGUgYmVuY2ggMQ==',
};

/** One byte four times as masking key, so that a stamp can be masked without knowing its place in the frame. */
export const webSocketMask = 0x2a;

/** A client's text frame (RFC 6455, 5.2), masked. */
export function textFrame(payload: string): Buffer {
  const data = Buffer.from(payload);
  const head =
    data.length < 126
      ? Buffer.from([0x81, 0x80 | data.length])
      : Buffer.from([0x81, 0xfe, data.length >> 8, data.length & 0xff]);
  const key = Buffer.alloc(4, webSocketMask);
  return Buffer.concat([head, key, data.map((byte) => byte ^ webSocketMask)]);
}
