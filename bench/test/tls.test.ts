import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { test } from 'node:test';
import { createServer, type TLSSocket } from 'node:tls';
import { localCertificate } from '../support/certificate.ts';
import { hasOpenSsl } from '../support/compiler.ts';
import { Handshakes } from '../support/handshakes.ts';
import { blankPayload, getRequest, numberedPayload, postRequest } from '../support/payload.ts';
import { publishFor } from '../support/publisher.ts';
import { Subscribers } from '../support/subscribers.ts';

const skip = !hasOpenSsl();
const MESSAGES = 2000;
const SECONDS = 0.2;
const answerHead = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n';

function credentials(): { readonly cert: Buffer; readonly key: Buffer } {
  const { certificateFile, keyFile } = localCertificate();
  return { cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

for (const recordBytes of [512, 5000, 16_384]) {
  test(`messages over TLS are counted exactly when records have ${recordBytes} bytes`, {
    skip,
  }, async () => {
    const events = Array.from({ length: MESSAGES }, (_, at) => `data: ${numberedPayload(at)}\n\n`).join('');
    const server = createServer(credentials(), (socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        // Many records at once, which are read from the socket together.
        socket.setMaxSendFragment(recordBytes);
        socket.write(answerHead + events);
      });
    });
    const port = await listening(server);
    const requests = [getRequest('/', {})];
    const subscribers = await Subscribers.open({
      port,
      requests,
      connections: 2,
      protocol: 'sse',
      tls: true,
    });
    const report = await subscribers.until(({ messages }) => messages === 2 * MESSAGES);
    await subscribers.close();
    server.close();
    assert.deepEqual(
      [report.messages, report.missing, report.repeated, report.foreign],
      [2 * MESSAGES, 0, 0, 0],
    );
  });
}

test('what is published over TLS arrives and is answered', { skip }, async () => {
  const PUBLISHES = 30;
  const LONGEST_SECONDS = 60;
  let received = 0;
  const server = createHttpsServer(credentials(), (request, response) => {
    received++;
    request.resume();
    request.once('end', () => response.end('ok'));
  });
  const variants = Array.from({ length: PUBLISHES }, (_, at) => `number-${100 + at}`);
  const result = await publishFor(
    {
      label: 'over TLS',
      port: await listening(server),
      connections: 3,
      unit: postRequest('/', blankPayload(), { Number: 'number-100' }),
      answers: 'response',
      variants,
      tls: true,
    },
    LONGEST_SECONDS,
  );
  server.close();
  assert.deepEqual([received, result.sent, result.accepted], [PUBLISHES, PUBLISHES, PUBLISHES]);
});

test('every request has a connection and a whole handshake of its own', { skip }, async () => {
  const server = createHttpsServer(credentials(), (_request, response) => response.end('ok'));
  const seen = { connections: 0, resumed: 0, protocols: new Set<string | null>() };
  server.on('secureConnection', (socket: TLSSocket) => {
    seen.connections++;
    seen.resumed += Number(socket.isSessionReused());
    seen.protocols.add(socket.getProtocol());
  });
  const load = await Handshakes.prepare(await listening(server), getRequest('/', {}), 2, SECONDS);
  load.start();
  await load.stopped();
  const result = await load.result();
  server.close();
  assert.ok(result.done > 0);
  assert.deepEqual([result.failed, result.resumed, seen.resumed], [0, 0, 0]);
  assert.equal(seen.connections, result.done);
  assert.deepEqual([...seen.protocols], ['TLSv1.3']);
});
