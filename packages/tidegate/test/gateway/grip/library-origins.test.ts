import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { type TestContext, test } from 'node:test';
import { Channel } from '@fanoutio/grip';
import { ServeGrip } from '@fanoutio/serve-grip/node';
import { EventSource } from 'eventsource';
import { createControlPort } from '../../../src/gateway/grip/control-port.ts';
import { systemClock } from '../../../src/kernel/index.ts';
import { parseSignatureKey, signGrip } from '../../../src/wire/grip/index.ts';
import { openLab, until } from '../../listeners/lab.ts';
import { type GripLab, openGripLab, response } from './lab.ts';

// Applications and publishers as others have written and published them.

const require = createRequire(import.meta.url);

/** What the library puts into requests and responses. */
interface Instruct {
  addChannel(channel: unknown): void;
  setHoldStream(): void;
  setHoldLongPoll(timeout?: number): void;
  setNextLink(uri: string, timeout?: number): void;
  setKeepAlive(data: string, timeout: number): void;
}
type Proxied = IncomingMessage & {
  readonly grip: { readonly isProxied: boolean; readonly isSigned: boolean };
};
type Instructed = ServerResponse & { readonly grip: { startInstruct(): Instruct } };

/** What is used of an Express application, which brings no types. */
type Application = RequestListener & {
  use(middleware: unknown): void;
  get(path: string, handler: (request: Proxied, response: Instructed) => void): void;
};
const express = require('express') as () => Application;

const KEY = 'changeme';

/** A gateway that signs, and the control port of its channels. */
async function openSigned(t: TestContext): Promise<GripLab & { readonly control: string }> {
  const key = parseSignatureKey(KEY);
  const signed = () => ['Grip-Sig', signGrip(key, 'pushpin', systemClock.nowMs() / 1000 + 3600)];
  const lab = await openGripLab(t, {}, '', signed);
  const { publisher, hub, holds, limits } = lab;
  const port = await openLab(
    t,
    createControlPort({
      publisher,
      authorize: (_, done) => done({ publish: (...events) => hub.publish(...events), purgeAs: () => '' }),
      recover: () => holds.recover(),
      purge: (_purges, _credential, done) => done({ responses: 0, state: 'done' }),
      limits,
    }),
  );
  return { ...lab, control: `http://127.0.0.1:${port.listener.port}` };
}

test('an Express application with @fanoutio/serve-grip holds an EventSource, and publishes to it', async (t) => {
  const lab = await openSigned(t);
  const serveGrip = new ServeGrip({
    grip: { control_uri: lab.control },
    gripVerifyKey: KEY,
    gripProxyRequired: true,
  });
  const application = express();
  application.use(serveGrip);
  application.get('/events', (request, answer) => {
    assert.equal(request.grip.isProxied && request.grip.isSigned, true);
    answer.setHeader('Content-Type', 'text/event-stream');
    const instruct = answer.grip.startInstruct();
    instruct.addChannel('news');
    instruct.setHoldStream();
    instruct.setKeepAlive('event: keep-alive\ndata:\n\n', 20);
    answer.end('event: stream-open\ndata:\n\n');
  });
  lab.answers(application);
  const source = new EventSource(`http://127.0.0.1:${lab.listener.port}/events`);
  t.after(() => source.close());
  const messages: string[] = [];
  source.addEventListener('message', ({ data }) => messages.push(data));
  await once(source as unknown as EventTarget, 'stream-open');
  await lab.subscribed('news');
  await serveGrip.getPublisher().publishHttpStream('news', 'data: hello\n\n');
  await until(() => messages.length === 1);
  await lab.plain('news', 'from elsewhere');
  await until(() => messages.length === 2);
  assert.deepEqual(messages, ['hello', 'from elsewhere']);
  const kept = once(source as unknown as EventTarget, 'keep-alive');
  lab.clock.advance(21_000);
  await kept;
});

test('its long-polls wait for the item after the one that they name', async (t) => {
  const lab = await openSigned(t);
  const serveGrip = new ServeGrip({ grip: { control_uri: lab.control }, gripVerifyKey: KEY });
  const application = express();
  application.use(serveGrip);
  application.get('/poll', (_, answer) => {
    const instruct = answer.grip.startInstruct();
    instruct.addChannel(new Channel('news', '1'));
    instruct.setHoldLongPoll(20);
    answer.end('nothing\n');
  });
  lab.answers(application);
  const publisher = serveGrip.getPublisher();
  await publisher.publishHttpResponse('news', 'one\n', '1');
  const client = await lab.get('/poll');
  await lab.subscribed('news');
  assert.equal(client.received, '');
  await publisher.publishHttpResponse('news', 'two\n', '2', '1');
  assert.equal((await response(client)).body, 'two\n');
  const missed = await lab.get('/poll');
  assert.equal((await response(missed)).body, 'two\n');
});

test('the library grip, of old, publishes', async (t) => {
  const lab = await openSigned(t);
  const { GripPubControl } = require('grip') as {
    GripPubControl: new (
      config: object,
    ) => {
      publishHttpResponse(
        channel: string,
        body: string,
        id: null,
        prevId: null,
        done: (ok: boolean) => void,
      ): void;
    };
  };
  lab.answers((_, answer) =>
    answer
      .writeHead(200, { 'Content-Type': 'application/grip-instruct' })
      .end(JSON.stringify({ hold: { mode: 'response', channels: [{ name: 'news' }] } })),
  );
  const client = await lab.get();
  await lab.subscribed('news');
  const published = await new Promise((resolve) => {
    new GripPubControl({ control_uri: lab.control }).publishHttpResponse('news', 'old', null, null, resolve);
  });
  assert.equal(published, true);
  assert.equal((await response(client)).body, 'old');
});
