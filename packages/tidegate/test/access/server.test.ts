import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { SignJWT } from 'jose';
import { WebSocket } from 'ws';
import { hashOfKey } from '../../src/access/index.ts';
import { systemClock } from '../../src/kernel/index.ts';
import { ServerProcess } from '../support/server-process.ts';

const SECRET = '0123456789abcdef0123456789abcdef';
const server = await ServerProcess.start({
  config: `
access:
  issuers:
    app:
      algorithms: [HS256]
      secret: ${'$'}{TOKEN_SECRET}
      allow: {'users/{user}/#': [subscribe, publish]}
`,
  environment: { TOKEN_SECRET: SECRET },
});
after(() => server.remove());

const nowSeconds = (): number => Math.floor(systemClock.nowMs() / 1000);

function token(user: string, claims: Record<string, unknown> = {}): Promise<string> {
  return new SignJWT({ sub: user, iat: nowSeconds() - 10, exp: nowSeconds() + 600, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(Buffer.from(SECRET));
}

async function resource(method: string, path: string, spec?: unknown): Promise<number> {
  const response = await fetch(`${server.adminUrl}/api/${path}`, {
    method,
    ...(spec === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ spec }) }),
  });
  await response.text();
  return response.status;
}

async function subscribe(channel: string, credential: string): Promise<Response> {
  return fetch(`${server.url}/v1/channels/${channel}`, {
    headers: { accept: 'text/event-stream', authorization: `Bearer ${credential}` },
  });
}

async function statusOf(channel: string, credential: string): Promise<number> {
  const response = await subscribe(channel, credential);
  await response.body?.cancel();
  return response.status;
}

test('a key opens what it allows, until it is deleted: then what it held ends, also after a kill', async () => {
  const spec = { hash: hashOfKey('a-secret'), allow: { 'news/#': ['subscribe'] } };
  assert.equal(await statusOf('news/a', 'a-secret'), 401);
  assert.equal(await resource('PUT', 'key/reader', spec), 201);
  await server.kill();
  await server.start();
  const held = await subscribe('news/a', 'a-secret');
  assert.equal(held.status, 200);
  assert.equal(await statusOf('other', 'a-secret'), 403);
  assert.ok([200, 204].includes(await resource('DELETE', 'key/reader')));
  // It would wait for ever if nobody ended it.
  await held.text();
  assert.equal(await statusOf('news/a', 'a-secret'), 401);
  await server.kill();
  await server.start();
  assert.equal(await statusOf('news/a', 'a-secret'), 401);
});

test('a key has the limits that its resource says', async () => {
  const allow = { 'news/#': ['subscribe'] };
  const spec = { hash: hashOfKey('b-secret'), allow, limits: { connectionsMax: 1 } };
  const wrong = { ...spec, limits: { connectionMax: 1 } };
  assert.equal(await resource('PUT', 'key/limited', wrong), 400);
  assert.equal(await resource('PUT', 'key/limited', spec), 201);
  const held = await subscribe('news/a', 'b-secret');
  assert.equal(held.status, 200);
  assert.equal(await statusOf('news/a', 'b-secret'), 429);
  assert.equal(await resource('PUT', 'key/limited', { ...spec, limits: { connectionsMax: 2 } }), 200);
  // It was changed: what rested on it ends, and counts no more.
  await held.text();
  const both = [await subscribe('news/a', 'b-secret'), await subscribe('news/a', 'b-secret')];
  assert.deepEqual(
    both.map(({ status }) => status),
    [200, 200],
  );
  assert.equal(await statusOf('news/a', 'b-secret'), 429);
  for (const { body } of both) await body?.cancel();
});

test('a token opens the channels of its user', async () => {
  const alice = await token('alice');
  assert.equal(await statusOf('users/alice/inbox', alice), 200);
  assert.equal(await statusOf('users/bob/inbox', alice), 403);
  assert.equal(await statusOf('users/%2B/inbox', alice), 403);
});

test('all tokens of a user are revoked at once, and stay so', async () => {
  const before = await token('mallory');
  const url = `${server.url.replace('http', 'ws')}/v1/channels/users/mallory/inbox?access_token=${before}`;
  const socket = new WebSocket(url);
  await once(socket, 'open');
  const closed = once(socket, 'close');
  const spec = { user: 'mallory', before: new Date(systemClock.nowMs()).toISOString() };
  assert.equal(await resource('PUT', 'revocation/mallory', spec), 201);
  assert.deepEqual((await closed)[0], 4401);
  assert.equal(await statusOf('users/mallory/inbox', before), 401);
  await server.kill();
  await server.start();
  assert.equal(await statusOf('users/mallory/inbox', before), 401);
  const fresh = await token('mallory', { iat: nowSeconds() + 1 });
  assert.equal(await statusOf('users/mallory/inbox', fresh), 200);
});

test('one token is revoked by its id', async () => {
  const [one, other] = [await token('carol', { jti: 'one' }), await token('carol', { jti: 'other' })];
  assert.equal(await resource('PUT', 'revocation/carols-phone', { tokenId: 'one' }), 201);
  assert.equal(await statusOf('users/carol/inbox', one), 401);
  assert.equal(await statusOf('users/carol/inbox', other), 200);
});

test('a revocation of nobody is refused', async () => {
  for (const spec of [{}, { user: 'x' }, { tokenId: 'x', user: 'y', before: '2026-01-01T00:00:00Z' }])
    assert.equal(await resource('PUT', 'revocation/wrong', spec), 400, JSON.stringify(spec));
});

test('an open server closes with its first key: also for those who are there already', async (t) => {
  const open = await ServerProcess.start();
  t.after(() => open.remove());
  const held = await fetch(`${open.url}/v1/channels/news`, { headers: { accept: 'text/event-stream' } });
  assert.equal(held.status, 200);
  const client = new WebSocket(`${open.url.replace('http', 'ws')}/connection/websocket`);
  await once(client, 'open');
  client.send('{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"news"}}');
  await once(client, 'message');
  const spec = { hash: hashOfKey('first'), allow: { '#': ['subscribe'] } };
  const created = await fetch(`${open.adminUrl}/api/key/first`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ spec }),
  });
  assert.equal(created.status, 201);
  await held.text();
  const closed = once(client, 'close');
  client.send('{"id":3,"publish":{"channel":"news","data":1}}');
  assert.equal((await closed)[0], 3500);
});
