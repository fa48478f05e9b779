import type { Recording } from '../recording.ts';
import { differs, type Scenario } from '../scenario.ts';
import { eventsOf } from '../stage.ts';
import { origin } from './native-origin.ts';

/** How WebSockets end. */
export const SOCKET_CLOSES: readonly Scenario[] = [
  {
    name: 'the origin closes',
    async run(stage) {
      origin(
        stage,
        () => {},
        (socket) => socket.close(4002, 'bye'),
      );
      const client = await stage.socket().opened();
      client.socket.send('go');
      await client.closed();
      return eventsOf(client);
    },
  },
  {
    name: 'the origin closes without a code',
    async run(stage) {
      origin(
        stage,
        () => {},
        (socket) => socket.close(),
      );
      const client = await stage.socket().opened();
      client.socket.send('go');
      await client.closed();
      return eventsOf(client);
    },
    differs: differs('no-close-code', ['0.close', 1000, 1005]),
  },
  {
    name: 'the client closes without a code',
    async run(stage) {
      let heard: ((recording: Recording) => void) | undefined;
      const closed = new Promise<Recording>((resolve) => {
        heard = resolve;
      });
      origin(stage, (socket) => {
        socket.once('close', (code) => heard?.(code));
      });
      const client = await stage.socket().opened();
      client.socket.close();
      const origins = await closed;
      await client.closed();
      return { origins, client: eventsOf(client) };
    },
    differs: differs('no-close-code', ['client.0.close', 1000, 1005]),
  },
  {
    name: 'the client closes',
    async run(stage) {
      let heard: ((recording: Recording) => void) | undefined;
      const closed = new Promise<Recording>((resolve) => {
        heard = resolve;
      });
      origin(stage, (socket) => {
        socket.once('close', (code, reason) => heard?.({ code, reason: reason.toString() }));
      });
      const client = await stage.socket().opened();
      client.socket.close(4003, 'leaving');
      const origins = await closed;
      await client.closed();
      return { origins, client: eventsOf(client) };
    },
    differs: differs('close-answers', ['client.0.reason', 'leaving', '']),
  },
  {
    name: 'the client is cut off',
    async run(stage) {
      let heard: ((code: number) => void) | undefined;
      const closed = new Promise<number>((resolve) => {
        heard = resolve;
      });
      origin(stage, (socket) => {
        socket.once('close', (code) => heard?.(code));
        socket.send('m:hello');
      });
      const client = await stage.socket().opened();
      await client.until('hello');
      client.socket.terminate();
      return { code: await closed };
    },
  },
  {
    name: 'the origin is cut off',
    async run(stage) {
      origin(
        stage,
        () => {},
        (socket) => socket.terminate(),
      );
      const client = await stage.socket().opened();
      client.socket.send('go');
      await client.closed();
      return eventsOf(client);
    },
    differs: differs('failed-sockets', ['0.close', 1006, 1013], ['0.reason', '', 'upstream_reset']),
  },
];
