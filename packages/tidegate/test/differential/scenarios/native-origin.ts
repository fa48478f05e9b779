import type { WebSocket } from 'ws';
import type { Recording } from '../recording.ts';
import { eventsOf, type Item, type Stage } from '../stage.ts';

export const control = (socket: WebSocket, message: object): void =>
  socket.send(`c:${JSON.stringify(message)}`);

/** An origin with a WebSocket of its own that does something on opening, and answers what it is sent. */
export function origin(
  stage: Stage,
  onOpen: (socket: WebSocket) => void,
  onMessage: (socket: WebSocket, text: string) => void = () => {},
  extensions: string | null = 'grip',
): void {
  stage.origin(
    (_request, response) => response.writeHead(404).end(),
    (socket) => {
      onOpen(socket);
      socket.on('message', (data, isBinary) =>
        onMessage(socket, isBinary ? `(binary) ${data}` : String(data)),
      );
    },
    extensions ?? undefined,
  );
}

export const message = (text: string) => ({ formats: { 'ws-message': { content: text } } });

/** A client that is subscribed, gets the items, and then `end`. */
export async function published(stage: Stage, items: readonly Item[]): Promise<Recording> {
  origin(stage, (socket) => control(socket, { type: 'subscribe', channel: stage.channel }));
  const client = await stage.socket().opened();
  await stage.socketSubscribed(client);
  await stage.publish(...items, message('end'));
  await client.until('end');
  return eventsOf(client);
}

/** A client that sends `go`, upon which the origin does something, and then sends `end`. */
export async function told(
  stage: Stage,
  act: (socket: WebSocket) => void,
  { extensions = 'grip', end = 'm:end' }: { extensions?: string | null; end?: string } = {},
): Promise<Recording> {
  origin(
    stage,
    () => {},
    (socket) => {
      act(socket);
      socket.send(end);
    },
    extensions,
  );
  const client = await stage.socket().opened();
  client.socket.send('go');
  await client.until('end');
  return eventsOf(client);
}
