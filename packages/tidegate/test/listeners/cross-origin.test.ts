import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { TidegateError } from '../../src/kernel/index.ts';
import { type HttpHandler, withCrossOrigin } from '../../src/listeners/index.ts';
import { openLab, problemCode, RecordingOwner } from './lab.ts';

const fine: HttpHandler = (exchange) => exchange.respond(200, {}, 'fine');

const unasked: HttpHandler = () => assert.fail('the handler was asked');

/** Sends one request with these fields and returns the whole answer. */
async function ask(
  t: TestContext,
  origins: readonly string[],
  fields: string,
  handler = fine,
  method = 'GET',
): Promise<string> {
  const lab = await openLab(t, withCrossOrigin(handler, { origins }));
  const client = await lab.connect();
  client.send(`${method} / HTTP/1.1\r\n${fields}Connection: close\r\n\r\n`);
  return client.ended();
}

const isFine = (answer: string): boolean => /^HTTP\/1\.1 200 .*fine$/s.test(answer);
const isForbidden = (answer: string): boolean => {
  return /^HTTP\/1\.1 403 /.test(answer) && problemCode(answer) === 'origin_forbidden';
};

test('requests of clients that are no browsers pass untouched', async (t) => {
  for (const host of ['localhost:8080', '127.0.0.1:8080', '[::1]:8080', '192.168.1.2', '[2001:db8::1]:80']) {
    const answer = await ask(t, [], `Host: ${host}\r\n`);
    assert.ok(isFine(answer), host);
    assert.doesNotMatch(answer, /access-control/i);
  }
});

test('a page of the server itself, on a loopback name, is let in', async (t) => {
  for (const host of ['localhost:8080', '127.0.0.1:8080', '[::1]:8080', 'localhost']) {
    const answer = await ask(t, [], `Host: ${host}\r\nOrigin: http://${host}\r\n`);
    assert.ok(isFine(answer), host);
  }
  assert.ok(isFine(await ask(t, [], 'Host: localhost:80\r\nOrigin: http://localhost\r\n')));
});

test('a page of any other origin is refused, for simple requests too', async (t) => {
  for (const origin of [
    'https://evil.example',
    'http://localhost:3000',
    'https://localhost:8080',
    'http://127.0.0.1:8080',
    'null',
    '',
  ]) {
    const answer = await ask(t, [], `Host: localhost:8080\r\nOrigin: ${origin}\r\n`, fine, 'POST');
    assert.ok(isForbidden(answer), origin);
    assert.doesNotMatch(answer, /access-control-allow/i);
    assert.match(answer, /^vary: Origin$/m);
  }
});

test('a page whose name was rebound to loopback is refused, though Origin and Host agree (DNS rebinding)', async (t) => {
  const answer = await ask(t, [], 'Host: evil.example:8080\r\nOrigin: http://evil.example:8080\r\n');
  assert.ok(isForbidden(answer));
});

test('a page whose name was rebound is refused for GET too, which carries no Origin', async (t) => {
  assert.ok(isForbidden(await ask(t, [], 'Host: evil.example:8080\r\n')));
  assert.ok(isForbidden(await ask(t, ['https://app.example'], 'Host: evil.example:8080\r\n')));
  assert.ok(isFine(await ask(t, ['https://app.example'], 'Host: app.example\r\n')));
  assert.ok(isFine(await ask(t, ['*'], 'Host: evil.example:8080\r\n')));
});

test('a page of a listed origin may read the answers (Fetch, 3.2)', async (t) => {
  const origins = ['https://app.example', 'http://localhost:3000'];
  const varied: HttpHandler = (exchange) => exchange.respond(200, { vary: 'Accept' }, 'fine');
  const answer = await ask(t, origins, 'Host: localhost:8080\r\nOrigin: https://app.example\r\n', varied);
  assert.ok(isFine(answer));
  assert.match(answer, /^access-control-allow-origin: https:\/\/app\.example$/m);
  assert.match(answer, /^access-control-expose-headers: \*$/m);
  assert.match(answer, /^vary: Accept\r\nvary: Origin$/m);
  assert.ok(isForbidden(await ask(t, origins, 'Host: localhost:8080\r\nOrigin: http://app.example\r\n')));
  assert.ok(
    isForbidden(await ask(t, origins, 'Host: localhost:8080\r\nOrigin: https://app.example.evil\r\n')),
  );
});

test('errors and streams can be read by the page too, and an error that escapes', async (t) => {
  const fields = 'Host: localhost\r\nOrigin: https://app.example\r\n';
  const handlers: HttpHandler[] = [
    (exchange) => exchange.fail(new TidegateError('channel_invalid')),
    (exchange) => exchange.stream(200, {}, new RecordingOwner(), 'close').end(),
    (exchange) => exchange.converse(200, {}, new RecordingOwner(), 'close').end(),
    () => {
      throw new TidegateError('channel_invalid');
    },
    () => {
      throw new Error('a fault');
    },
  ];
  const statuses: string[] = [];
  for (const handler of handlers) {
    const answer = await ask(t, ['*'], fields, handler);
    assert.match(answer, /^access-control-allow-origin: https:\/\/app\.example$/m);
    statuses.push(answer.slice(9, 12));
  }
  assert.deepEqual(statuses, ['400', '200', '200', '400', '500']);
});

test('a preflight is answered without asking the handler (Fetch, 3.2.2)', async (t) => {
  const fields =
    'Host: localhost\r\nOrigin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n' +
    'Access-Control-Request-Headers: content-type, ce-id\r\nAccess-Control-Request-Private-Network: true\r\n';
  const answer = await ask(t, ['https://app.example'], fields, unasked, 'OPTIONS');
  assert.match(answer, /^HTTP\/1\.1 204 /);
  for (const line of [
    'access-control-allow-origin: https://app.example',
    'access-control-allow-methods: GET, HEAD, POST',
    'access-control-allow-headers: content-type, ce-id',
    'access-control-max-age: 7200',
    'access-control-allow-private-network: true',
    'vary: Origin',
  ]) {
    assert.ok(answer.includes(`\r\n${line}\r\n`), line);
  }
  assert.ok(isForbidden(await ask(t, [], fields, unasked, 'OPTIONS')));
});

test('a WebSocket handshake of another origin is refused, which browsers leave to the server', async (t) => {
  const handshake = 'Host: localhost:8080\r\nUpgrade: websocket\r\nOrigin: https://evil.example\r\n';
  assert.ok(isForbidden(await ask(t, [], handshake, unasked)));
});

test('OPTIONS that is no preflight goes to the handler', async (t) => {
  const fields = 'Host: localhost\r\nOrigin: http://localhost\r\n';
  assert.ok(isFine(await ask(t, [], fields, fine, 'OPTIONS')));
});
