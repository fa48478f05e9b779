import { repeatUntil } from '../patience.ts';
import { differs, type Scenario } from '../scenario.ts';
import { eventsOf } from '../stage.ts';
import { control, message, origin, published } from './native-origin.ts';

/** What is published to WebSockets, and who is subscribed. */
export const SOCKET_CHANNELS: readonly Scenario[] = [
  {
    name: 'published messages',
    run: (stage) =>
      published(stage, [
        message('text'),
        { 'ws-message': { 'content-bin': 'AAEC' } },
        { 'ws-message': { content: 'as binary', type: 'binary' } },
        { 'ws-message': { 'content-bin': 'aGk=', type: 'text' } },
        message(''),
      ]),
  },
  {
    name: 'published pings and pongs',
    run: (stage) =>
      published(stage, [
        { 'ws-message': { content: 'are you there', type: 'ping' } },
        { 'ws-message': { content: 'here', type: 'pong' } },
      ]),
  },
  {
    name: 'forms for other transports are passed over',
    run: (stage) => published(stage, [{ 'http-stream': { content: 'a stream' } }]),
  },
  {
    name: 'a hint is nothing to a WebSocket',
    run: (stage) => published(stage, [{ 'ws-message': { action: 'hint' } }]),
  },
  {
    name: 'a published close',
    async run(stage) {
      origin(stage, (socket) => control(socket, { type: 'subscribe', channel: stage.channel }));
      const client = await stage.socket().opened();
      await stage.socketSubscribed(client);
      await stage.publish(message('last'), {
        'ws-message': { action: 'close', code: 4001, reason: 'enough' },
      });
      await client.closed();
      return eventsOf(client);
    },
  },
  {
    name: 'a published close without a code',
    async run(stage) {
      origin(stage, (socket) => control(socket, { type: 'subscribe', channel: stage.channel }));
      const client = await stage.socket().opened();
      await stage.socketSubscribed(client);
      await stage.publish({ 'ws-message': { action: 'close' } });
      await client.closed();
      return eventsOf(client);
    },
  },
  {
    name: 'unsubscribe',
    async run(stage) {
      const other = `${stage.channel}-other`;
      const third = `${stage.channel}-third`;
      origin(
        stage,
        (socket) => {
          control(socket, { type: 'subscribe', channel: stage.channel });
          control(socket, { type: 'subscribe', channel: other });
        },
        (socket) => {
          // Control messages are followed in order: who is subscribed to the third has left the second.
          control(socket, { type: 'unsubscribe', channel: other });
          control(socket, { type: 'subscribe', channel: third });
        },
      );
      const client = await stage.socket().opened();
      await stage.socketSubscribed(client);
      await stage.socketSubscribed(client, other);
      client.socket.send('leave');
      await stage.socketSubscribed(client, third);
      await stage.publish({ ...message('unheard'), channel: other });
      await stage.publish(message('end'));
      await client.until('end');
      return eventsOf(client);
    },
  },
  {
    name: 'detach leaves the client subscribed',
    async run(stage) {
      let originClosed = (): void => {};
      const closed = new Promise<void>((resolve) => {
        originClosed = resolve;
      });
      origin(stage, (socket) => {
        socket.once('close', originClosed);
        control(socket, { type: 'subscribe', channel: stage.channel });
        socket.send('m:welcome');
        control(socket, { type: 'detach' });
      });
      const client = await stage.socket().opened();
      await stage.socketSubscribed(client);
      await closed;
      client.socket.send('to nobody');
      await stage.publish(message('end'));
      await client.until('end');
      return eventsOf(client);
    },
  },
  {
    name: 'set-meta and skip-self',
    async run(stage) {
      origin(stage, (socket) => {
        control(socket, { type: 'set-meta', name: 'user', value: 'ann' });
        control(socket, { type: 'subscribe', channel: stage.channel, filters: ['skip-self'] });
      });
      const client = await stage.socket().opened();
      await stage.socketSubscribed(client);
      await stage.publish(
        { ...message('by ann'), meta: { sender: 'ann' } },
        { ...message('by bob'), meta: { sender: 'bob' } },
        message('end'),
      );
      await client.until('end');
      return eventsOf(client);
    },
  },
  {
    name: 'var-subst on a WebSocket',
    async run(stage) {
      origin(stage, (socket) => {
        control(socket, { type: 'set-meta', name: 'name', value: 'Ann' });
        control(socket, { type: 'subscribe', channel: stage.channel, filters: ['var-subst'] });
      });
      const client = await stage.socket().opened();
      await stage.socketSubscribed(client);
      await stage.publish(message('hello %(name)s'), message('end'));
      await client.until('end');
      return eventsOf(client);
    },
  },
  {
    name: 'a WebSocket with a hundred and one channels',
    async run(stage) {
      origin(stage, (socket) => {
        for (let index = 1; index <= 101; index++)
          control(socket, { type: 'subscribe', channel: `${stage.channel}-${index}` });
      });
      const client = await stage.socket().opened();
      if (stage.side === 'tidegate') await client.closed();
      else await stage.socketSubscribed(client, `${stage.channel}-20`);
      return eventsOf(client);
    },
    differs: differs('refused-subscriptions', ['0', null, { close: 1011, reason: 'grip_instruct_invalid' }]),
  },
  {
    name: 'a WebSocket that has missed something',
    async run(stage) {
      origin(
        stage,
        (socket) => control(socket, { type: 'subscribe', channel: stage.channel }),
        (socket) =>
          control(socket, { type: 'subscribe', channel: `${stage.channel}-late`, 'prev-id': 'missed' }),
      );
      const client = await stage.socket().opened();
      await stage.socketSubscribed(client);
      await stage.publish({ ...message('1'), id: '1', channel: `${stage.channel}-late` });
      client.socket.send('go');
      if (stage.side === 'tidegate') await client.closed();
      else await stage.socketSubscribed(client, `${stage.channel}-late`);
      return eventsOf(client);
    },
    differs: differs('socket-ids', [
      '0',
      null,
      { close: 4410, reason: 'gap in a-websocket-that-has-missed-something-late' },
    ]),
  },
  {
    name: 'a WebSocket that says what it has',
    async run(stage) {
      origin(
        stage,
        (socket) => control(socket, { type: 'subscribe', channel: stage.channel }),
        (socket) => control(socket, { type: 'subscribe', channel: `${stage.channel}-late`, 'prev-id': '1' }),
      );
      const client = await stage.socket().opened();
      await stage.socketSubscribed(client);
      const late = (id: string) => ({ ...message(id), id, channel: `${stage.channel}-late` });
      await stage.publish(late('1'), late('2'), late('3'));
      client.socket.send('go');
      if (stage.side === 'tidegate') await client.until('"3"');
      await stage.socketSubscribed(client, `${stage.channel}-late`);
      return eventsOf(client);
    },
    differs: differs('socket-ids', ['0', null, { text: '2' }], ['1', null, { text: '3' }]),
  },
  {
    name: 'a message behind a long one',
    async run(stage) {
      origin(stage, (socket) => control(socket, { type: 'subscribe', channel: stage.channel }));
      const client = await stage.socket().opened();
      await stage.socketSubscribed(client);
      await stage.publish(message('x'.repeat(100_000)), message('behind it'));
      await client.until('xxx');
      // What shows that nothing more comes is what comes later.
      const has = (text: string): boolean =>
        client.events.some((event) => 'text' in event && event.text === text);
      await repeatUntil(
        () => stage.publish(message('later')),
        () => has('later'),
        () => 'a later message',
      );
      return { long: has('x'.repeat(100_000)), behind: has('behind it') };
    },
    differs: differs('slow-clients', ['behind', false, true]),
  },
  {
    name: 'a published message of many scripts',
    run: (stage) => published(stage, [message('Grüße, 世界, 🌊')]),
  },
  {
    name: 'a prefix of the route on a WebSocket',
    async run(stage) {
      origin(stage, (socket) => control(socket, { type: 'subscribe', channel: stage.channel }));
      const client = await stage.socket(stage.path('', 'prefixed')).opened();
      await stage.socketSubscribed(client, `pre-${stage.channel}`);
      await stage.publish({ ...message('end'), channel: `pre-${stage.channel}` });
      await client.until('end');
      return eventsOf(client);
    },
  },
];
