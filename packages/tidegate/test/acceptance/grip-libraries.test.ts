import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import test from 'node:test';
import { Publisher } from '@fanoutio/grip';
import { ServeGrip } from '@fanoutio/serve-grip/node';
import { EventSource } from 'eventsource';
import { WebSocket } from 'ws';
import { until } from '../listeners/lab.ts';
import { behindGateway, KEY } from './grip-origin.ts';

const require = createRequire(import.meta.url);
const express = require('express') as () => RequestListener & Record<string, (...parts: unknown[]) => void>;

/** What is used of the library, which the response carries. */
interface Grip {
  startInstruct(): {
    addChannel(channel: string): void;
    setHoldStream(): void;
    setHoldLongPoll(seconds: number): void;
  };
}
type GripResponse = ServerResponse & { readonly grip: Grip };

/** An Express application with serve-grip, as the library's readme has it. */
function expressWithServeGrip(gripUrl: string): RequestListener {
  const application = express();
  application.use(
    new ServeGrip({ grip: { control_uri: gripUrl, key: KEY }, gripVerifyKey: KEY, gripProxyRequired: true }),
  );
  const routes: Record<string, (grip: Grip, response: ServerResponse) => void> = {
    '/events': (grip, response) => {
      const instruct = grip.startInstruct();
      instruct.addChannel('events');
      instruct.setHoldStream();
      response.setHeader('content-type', 'text/event-stream');
      response.end('event: hello\ndata: there\n\n');
    },
    '/wait': (grip, response) => {
      const instruct = grip.startInstruct();
      instruct.addChannel('events');
      instruct.setHoldLongPoll(20);
      response.setHeader('content-type', 'application/json');
      response.end('{"nothing":true}\n');
    },
    '/plain': (_grip, response) => response.end('just an answer'),
  };
  for (const [path, answer] of Object.entries(routes))
    application.get(path, (_request: IncomingMessage, response: GripResponse) =>
      answer(response.grip, response),
    );
  return application;
}

test('Express with serve-grip holds an EventSource, and what it publishes by @fanoutio/grip arrives there, on a WebSocket and over SSE', async (t) => {
  const { server, gripUrl } = await behindGateway(t, expressWithServeGrip);
  const events: string[] = [];
  const held = new EventSource(`${server.url}/events`);
  t.after(() => held.close());
  held.addEventListener('hello', (event) => events.push(`hello ${(event as MessageEvent).data}`));
  held.onmessage = ({ data }) => events.push(data);
  const plain: string[] = [];
  const subscriber = new EventSource(`${server.url}/v1/channels/events`);
  t.after(() => subscriber.close());
  subscriber.onmessage = ({ data }) => plain.push(data);
  const framed: string[] = [];
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/channels/events`);
  t.after(() => socket.terminate());
  socket.on('message', (data) => framed.push(String(data)));
  await Promise.all([once(socket, 'open'), until(() => subscriber.readyState === 1 && events.length === 1)]);

  const publisher = new Publisher({ control_uri: gripUrl });
  // A hold is set up a moment after its first bytes: what comes before is not for it.
  while (events.length < 2) await publisher.publishHttpStream('events', 'data: probe\n\n');
  await publisher.publishHttpStream('events', 'data: {"price":1}\n\n');
  await until(
    () => events.includes('{"price":1}') && plain.includes('{"price":1}') && framed.includes('{"price":1}'),
  );

  // And the other way round: a plain publish reaches those that the origin has held.
  const response = await fetch(`${server.url}/v1/channels/events`, { method: 'POST', body: 'plain words' });
  assert.equal(response.status, 200);
  await until(() => events.includes('plain words'));
});

test('a long-poll is held until something is published', async (t) => {
  const { server, gripUrl } = await behindGateway(t, expressWithServeGrip);
  const publisher = new Publisher({ control_uri: gripUrl });
  const waiting = fetch(`${server.url}/wait`);
  let answered = false;
  void waiting.then(() => {
    answered = true;
  });
  // Not before the origin has asked for it to be held does it hear of anything.
  while (!answered) await publisher.publishHttpResponse('events', '{"something":true}\n');
  const response = await waiting;
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { something: true });
});

test('answers without instructions pass as they are', async (t) => {
  const { server } = await behindGateway(t, expressWithServeGrip);
  const response = await fetch(`${server.url}/plain`);
  assert.equal(await response.text(), 'just an answer');
});

test('the older libraries publish as they did', async (t) => {
  const { server, gripUrl } = await behindGateway(t, expressWithServeGrip);
  const grip = require('grip') as {
    GripPubControl: new (
      config: object,
    ) => {
      publishHttpStream(channel: string, content: string, done: (error?: unknown) => void): void;
    };
  };
  const events: string[] = [];
  const held = new EventSource(`${server.url}/events`);
  t.after(() => held.close());
  held.onmessage = ({ data }) => events.push(data);
  const control = new grip.GripPubControl({ control_uri: gripUrl.replace(/\/$/, '') });
  while (!events.includes('from the old one')) {
    await new Promise((resolve) =>
      control.publishHttpStream('events', 'data: from the old one\n\n', resolve),
    );
  }
});
