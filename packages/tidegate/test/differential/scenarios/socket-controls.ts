import type { Scenario } from '../scenario.ts';
import { eventsOf } from '../stage.ts';
import { control, origin, told } from './native-origin.ts';

/** What else an origin tells the gateway about a WebSocket. */
export const SOCKET_CONTROLS: readonly Scenario[] = [
  {
    name: 'a keep-alive of a WebSocket',
    async run(stage) {
      origin(stage, (socket) => control(socket, { type: 'keep-alive', content: 'ping', timeout: 1 }));
      const client = await stage.socket().opened();
      await client.until('ping');
      return eventsOf(client).slice(0, 1);
    },
  },
  {
    name: 'a keep-alive of a WebSocket that is a ping frame',
    async run(stage) {
      origin(stage, (socket) =>
        control(socket, { type: 'keep-alive', content: 'p', 'message-type': 'ping', timeout: 1 }),
      );
      const client = await stage.socket().opened();
      await client.until('ping');
      return eventsOf(client).slice(0, 1);
    },
  },
  {
    name: 'a keep-alive of a WebSocket in binary',
    async run(stage) {
      origin(stage, (socket) =>
        control(socket, { type: 'keep-alive', 'content-bin': 'AAE=', 'message-type': 'binary', timeout: 1 }),
      );
      const client = await stage.socket().opened();
      await client.until('binary');
      return eventsOf(client).slice(0, 1);
    },
  },
  {
    name: 'send-delayed and flush-delayed',
    run: (stage) =>
      told(
        stage,
        (socket) => {
          control(socket, { type: 'send-delayed', content: 'delayed', timeout: 30 });
          control(socket, { type: 'flush-delayed' });
          control(socket, { type: 'send-delayed', content: 'end', timeout: 1 });
        },
        { end: 'without the prefix: for nobody' },
      ),
  },
  {
    name: 'a control message that cannot be read',
    run: (stage) =>
      told(stage, (socket) => {
        socket.send('c:nonsense');
        socket.send('c:{"type":"dance"}');
        socket.send('c:{}');
      }),
  },
  {
    name: 'a subscribe without a channel',
    run: (stage) => told(stage, (socket) => control(socket, { type: 'subscribe' })),
  },
];
