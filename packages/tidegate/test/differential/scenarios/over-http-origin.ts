import { Buffer } from 'node:buffer';
import type { ServerResponse } from 'node:http';
import type { Recording } from '../recording.ts';
import type { AskedRequest } from '../scripted-origin.ts';
import type { Stage } from '../stage.ts';

export const TYPE = 'application/websocket-events';

/** An event as a body has it; a character of the content is a byte. */
export const event = (type: string, content?: string): string =>
  content === undefined ? `${type}\r\n` : `${type} ${content.length.toString(16)}\r\n${content}\r\n`;

export const control = (message: object): string => event('TEXT', `c:${JSON.stringify(message)}`);

export const close = (code: number, reason: string): string =>
  event('CLOSE', `${String.fromCharCode(code >> 8, code & 255)}${reason}`);

export type Answering = (
  request: AskedRequest,
  turn: number,
) =>
  | { readonly body?: string; readonly headers?: Record<string, string>; readonly status?: number }
  | undefined;

/** An origin that answers requests with events: OPEN is accepted, and with GRIP, unless it says otherwise. */
export function origin(
  stage: Stage,
  answering: Answering,
  extensions: Record<string, string> = { 'Sec-WebSocket-Extensions': 'grip' },
): void {
  stage.origin((request, response: ServerResponse, turn) => {
    const opens = request.body.startsWith('OPEN\r\n');
    const { body = opens ? event('OPEN') : '', headers = {}, status = 200 } = answering(request, turn) ?? {};
    response.writeHead(status, { 'Content-Type': TYPE, ...(opens ? extensions : {}), ...headers });
    response.end(Buffer.from(body, 'latin1'));
  });
}

export const path = (stage: Stage): string => stage.path('', 'over-http');

/** What the origin was asked: events and the fields that matter. */
export function requests(stage: Stage, ...names: readonly string[]): Recording {
  return stage.asked.map(({ method, body, headers }) => ({
    method,
    body,
    ...Object.fromEntries(
      names.map((name) => [name, headers[name] === undefined ? null : String(headers[name])]),
    ),
  }));
}

/** A client that is subscribed by the answer to OPEN. */
export async function subscribed(stage: Stage, more = '', answering: Answering = () => undefined) {
  origin(stage, (request, turn) =>
    request.body.startsWith('OPEN')
      ? { body: event('OPEN') + more + control({ type: 'subscribe', channel: stage.channel }) }
      : answering(request, turn),
  );
  const client = await stage.socket(path(stage)).opened();
  await stage.socketSubscribed(client);
  return client;
}
