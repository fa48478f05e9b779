import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { ServeGrip } from '@fanoutio/serve-grip/node';
import { WebSocket } from 'ws';
import { systemClock } from '../../../src/kernel/index.ts';
import { parseSignatureKey, signGrip } from '../../../src/wire/grip/index.ts';
import { event, publish } from '../../support/test-hub.ts';
import { type GatewayLab, startGatewayLab } from './gateway-lab.ts';

/** What is used of an Express application, which brings no types. */
type Application = RequestListener & {
  use(middleware: unknown): void;
  post(path: string, handler: (request: IncomingMessage, response: ServerResponse) => void): void;
};
const express = createRequire(import.meta.url)('express') as () => Application;

const KEY = 'changeme';

/** What the part of the library's context is that the application uses. */
interface Context {
  meta: Record<string, string>;
  isOpening(): boolean;
  accept(): void;
  canRecv(): boolean;
  recv(): string | null;
  send(text: string): void;
  sendBinary(bytes: Uint8Array): void;
  subscribe(channel: string): void;
  close(code?: number): void;
}

const closing: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const close of closing.toReversed()) await close();
});

/** An application as the library's readme has it: it echoes, counts in the meta, and closes on `bye`. */
async function startApplication(): Promise<number> {
  const application = express();
  application.use(
    new ServeGrip({
      grip: { control_uri: 'http://127.0.0.1:1/', key: KEY },
      gripVerifyKey: KEY,
      gripProxyRequired: true,
    }),
  );
  application.post('/chat', (request, response) => {
    const context = (request as unknown as { grip: { wsContext: Context; isSigned: boolean } }).grip
      .wsContext;
    if (context.isOpening()) {
      context.accept();
      context.subscribe('news');
      context.meta.count = '0';
    }
    while (context.canRecv()) {
      const message = context.recv();
      if (message === null || message === 'bye') {
        context.close();
        break;
      }
      context.meta.count = String(Number(context.meta.count) + 1);
      context.send(`${context.meta.count} ${message}`);
    }
    response.end();
  });
  const server = createServer(application);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}

async function startLab(port: number): Promise<GatewayLab> {
  const key = parseSignatureKey(KEY);
  const lab = await startGatewayLab({
    mode: 'over_http',
    origins: [port],
    signature: () => signGrip(key, 'tidegate', systemClock.nowMs() / 1000 + 3600),
  });
  closing.push(() => lab.close());
  return lab;
}

describe('An Express application with @fanoutio/serve-grip, as it is published', () => {
  it('believes the signature, has a WebSocket, keeps meta with it, subscribes it, and closes it with a code that is allowed', async () => {
    const lab = await startLab(await startApplication());
    const client = new WebSocket(`${lab.url}/chat`);
    await once(client, 'open');
    const answers: string[] = [];
    for (const text of ['one', 'two']) {
      client.send(text);
      answers.push(String((await once(client, 'message'))[0]));
    }
    assert.deepEqual(answers, ['1 one', '2 two']);
    const [[published]] = await Promise.all([
      once(client, 'message'),
      publish(lab.hub, event('news', 'to everybody')),
    ]);
    assert.equal(String(published), 'to everybody');
    client.send('bye');
    // The library sends the code 0, upon which `ws` would fail the connection.
    const [code] = await once(client, 'close');
    assert.equal(code, 1000);
  });

  it('has its own refusals passed on', async () => {
    const lab = await startLab(await startApplication());
    const client = new WebSocket(`${lab.url}/elsewhere`);
    const [, response] = await once(client, 'unexpected-response');
    assert.equal(response.statusCode, 404);
    client.on('error', () => {});
    client.terminate();
  });
});
