import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { after, before, beforeEach, test } from 'node:test';
import { SignJWT } from 'jose';
import { WebSocket } from 'ws';
import { type Gate, NOTHING_REVOKED } from '../../src/access/index.ts';
import { Issuer } from '../../src/access/issuer.ts';
import { fixedKeys } from '../../src/access/key-source.ts';
import { systemClock } from '../../src/kernel/index.ts';
import { type EdgeServer, startEdgeServer } from '../edges/edge-server.ts';
import { keyOf, testGate } from './access-fixture.ts';

const SECRET = Buffer.from('0123456789abcdef0123456789abcdef');
const KEYS = {
  backend: keyOf('backend', { '#': ['publish', 'subscribe', 'history'] }),
  reader: keyOf('reader', { 'news/#': ['subscribe'] }),
  archivist: keyOf('archivist', { 'news/#': ['history'] }),
};

let server: EdgeServer;
let gate: Gate;
before(async () => {
  const issuer = new Issuer(
    {
      name: 'test',
      algorithms: ['HS256'],
      issuer: undefined,
      audience: undefined,
      allow: { '#': ['subscribe'] },
    },
    fixedKeys({ kind: 'key', key: SECRET }),
  );
  server = await startEdgeServer({
    access: (channels) => {
      gate = testGate({
        channels,
        clock: systemClock,
        issuers: [issuer],
        keys: KEYS,
        anonymous: { 'public/#': ['subscribe'] },
      });
      return gate;
    },
  });
});
beforeEach(() => gate.adopt({ keys: new Map(Object.entries(KEYS)), revoked: NOTHING_REVOKED }));
after(async () => {
  await server.close();
  gate.close();
});

const bearer = (credential: string): Record<string, string> => ({ authorization: `Bearer ${credential}` });

async function ask(
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; code: string; challenge: string | null; body: string }> {
  const response = await fetch(`${server.url}${path}`, init);
  // A stream that was let in would never end by itself.
  const isStream = response.ok && !(response.headers.get('content-type') ?? '').includes('application/json');
  const body = isStream ? '' : await response.text();
  if (isStream) await response.body?.cancel();
  return {
    status: response.status,
    code: response.ok ? '' : JSON.parse(body).code,
    challenge: response.headers.get('www-authenticate'),
    body,
  };
}

const publish = (channel: string, headers: Record<string, string>, body = 'x') =>
  ask(`/v1/channels/${channel}`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain', ...headers },
    body,
  });

test('without a credential, only what is said of everybody is allowed', async () => {
  const refused = await publish('news/a', {});
  assert.deepEqual(
    [refused.status, refused.code, refused.challenge],
    [401, 'credential_missing', 'Bearer realm="tidegate"'],
  );
  assert.equal((await ask('/v1/channels/public/a')).status, 200);
  assert.equal((await ask('/v1/channels/news/a')).status, 401);
  assert.equal((await ask('/v1/channels/%23')).status, 401);
});

test('a credential that is wrong is told as such, whatever it asks for', async () => {
  for (const headers of [bearer('nobody'), { authorization: 'Basic YTpi' }, { authorization: 'Bearer' }]) {
    const refused = await ask('/v1/channels/public/a', { headers });
    assert.deepEqual([refused.status, refused.code], [401, 'credential_invalid']);
    assert.equal(refused.challenge, 'Bearer realm="tidegate", error="invalid_token"');
  }
});

test('two credentials in one request are refused', async () => {
  const refused = await ask('/v1/channels/news/a?access_token=reader', { headers: bearer('reader') });
  assert.equal(refused.code, 'credential_invalid');
});

test('a key may do what it allows, and nothing else', async () => {
  assert.equal((await publish('news/a', bearer('backend'))).status, 200);
  const denied = await publish('news/a', bearer('reader'));
  assert.deepEqual([denied.status, denied.code], [403, 'access_denied']);
  assert.equal((await ask('/v1/channels/news/a', { headers: bearer('reader') })).status, 200);
  assert.equal((await ask('/v1/channels/news/%2B', { headers: bearer('reader') })).status, 200);
  assert.equal((await ask('/v1/channels/other', { headers: bearer('reader') })).status, 403);
  assert.equal((await ask('/v1/channels/%23', { headers: bearer('reader') })).status, 403);
  assert.equal(
    (await ask('/v1/sse?channel=news/a&channel=other', { headers: bearer('reader') })).status,
    403,
  );
});

test('reading the past takes the permission history', async () => {
  await publish('news/h', bearer('backend'));
  for (const from of ['earliest', '-1', '2020-01-01T00:00:00Z']) {
    const path = `/v1/channels/news/h?from=${from}`;
    assert.equal((await ask(path, { headers: bearer('reader') })).status, 403, from);
    assert.equal((await ask(path, { headers: bearer('backend') })).status, 200, from);
  }
  assert.equal((await ask('/v1/history/news/h', { headers: bearer('reader') })).status, 403);
  const page = await ask('/v1/history/news/h', { headers: bearer('archivist') });
  assert.equal(page.status, 200);
  const cursor = JSON.parse(page.body).next;
  // Whoever comes back goes on where it was.
  const resumed = await ask(`/v1/channels/news/h?from=${encodeURIComponent(cursor)}`, {
    headers: bearer('reader'),
  });
  assert.equal(resumed.status, 200);
});

test('of a batch, what is not allowed is refused by itself', async () => {
  const key = keyOf('half', { 'news/#': ['publish'] });
  gate.adopt({ keys: new Map([...Object.entries(KEYS), ['half', key]]), revoked: NOTHING_REVOKED });
  const body = JSON.stringify([
    { channel: 'news/1', data: 1 },
    { channel: 'other', data: 2 },
    { channel: 'news/2', data: 3 },
  ]);
  const headers = { 'content-type': 'application/json', ...bearer('half') };
  const answer = await ask('/v1/publish', { method: 'POST', headers, body });
  assert.equal(answer.status, 207);
  const results = JSON.parse(answer.body).results;
  assert.deepEqual(
    results.map(
      (result: { channel?: string; error?: { code: string } }) => result.error?.code ?? result.channel,
    ),
    ['news/1', 'access_denied', 'news/2'],
  );
});

test('the same id from two keys is two events, and from one key one', async () => {
  const other = keyOf('other', { '#': ['publish'] });
  gate.adopt({ keys: new Map([...Object.entries(KEYS), ['other', other]]), revoked: NOTHING_REVOKED });
  const send = async (credential: string): Promise<string> => {
    const headers = { ...bearer(credential), 'idempotency-key': 'order-1' };
    return JSON.parse((await publish('news/ids', headers)).body).cursor;
  };
  const [first, again, others] = [await send('backend'), await send('backend'), await send('other')];
  assert.equal(first, again);
  assert.notEqual(first, others);
});

test('a held stream ends when its key goes', async () => {
  const response = await fetch(`${server.url}/v1/channels/news/held?access_token=reader`, {
    headers: { accept: 'text/event-stream' },
  });
  assert.equal(response.status, 200);
  const { reader: _, ...others } = KEYS;
  gate.adopt({ keys: new Map(Object.entries(others)), revoked: NOTHING_REVOKED });
  // It ends by itself: text() would wait for ever otherwise.
  await response.text();
  assert.equal((await ask('/v1/channels/news/held', { headers: bearer('reader') })).status, 401);
});

test('a stream of publishes that is held open publishes no more once its key goes', async () => {
  const request = httpRequest(`${server.url}/v1/publish`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', ...bearer('backend') },
  });
  request.write('{"channel":"news/lines","data":1}\n');
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.setEncoding('utf8');
  const lines = createInterface({ input: response })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value as string);
  assert.equal((await next()).channel, 'news/lines');
  const { backend: _, ...others } = KEYS;
  gate.adopt({ keys: new Map(Object.entries(others)), revoked: NOTHING_REVOKED });
  request.write('{"channel":"news/lines","data":2}\n');
  assert.equal((await next()).error.code, 'credential_revoked');
  request.end();
});

test('nobody but the server says who published', async () => {
  const headers = {
    ...bearer('backend'),
    'ce-specversion': '1.0',
    'ce-id': 'x',
    'ce-source': '/s',
    'ce-type': 't',
  };
  await publish('news/forged', {
    ...headers,
    'ce-cfuser': 'admin',
    'ce-cfclient': 'forged',
    'ce-kept': 'yes',
  });
  const { body } = await ask('/v1/history/news/forged', { headers: bearer('backend') });
  const [message] = JSON.parse(body).messages;
  assert.deepEqual([message.kept, message.cfuser, message.cfclient], ['yes', undefined, undefined]);
});

test('no source that a publisher names passes for the credential of another', async () => {
  const event = { ...bearer('backend'), 'ce-specversion': '1.0', 'ce-id': 'order-9', 'ce-type': 't' };
  await publish('news/own', { ...event, 'ce-source': 'key:backend' }, 'forged');
  const own = await publish('news/own', { ...bearer('backend'), 'idempotency-key': 'order-9' }, 'own');
  assert.equal(JSON.parse(own.body).duplicate, false);
});

test('a WebSocket closes with 4401 when its token expires, and publishes no more', async () => {
  const token = await new SignJWT({
    exp: Math.floor(systemClock.nowMs() / 1000) + 1,
    capabilities: { 'news/#': ['subscribe', 'publish'] },
  })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(SECRET);
  const socket = new WebSocket(
    `${server.url.replace('http', 'ws')}/v1/channels/news/ws?access_token=${token}`,
  );
  await once(socket, 'open');
  socket.send('while it may');
  const [message] = await once(socket, 'message');
  assert.equal(String(message), 'while it may');
  const [code] = await once(socket, 'close');
  assert.equal(code, 4401);
  const late = new WebSocket(`${server.url.replace('http', 'ws')}/v1/channels/news/ws?access_token=${token}`);
  const [, response] = await once(late, 'unexpected-response');
  assert.equal(response.statusCode, 401);
});

test('whoever guesses is told to wait', async () => {
  let refused: Response | null = null;
  for (let i = 0; i < 30; i++) {
    refused = await fetch(`${server.url}/v1/channels/public/a`, { headers: bearer(`guess-${i}`) });
    await refused.body?.cancel();
  }
  assert.equal(refused?.status, 429);
  assert.ok(Number(refused?.headers.get('retry-after')) > 1);
});
