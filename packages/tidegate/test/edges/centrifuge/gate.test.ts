import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { type JWTPayload, SignJWT } from 'jose';
import { WebSocket as WsClient } from 'ws';
import { type Gate, NOTHING_REVOKED } from '../../../src/access/index.ts';
import { Issuer } from '../../../src/access/issuer.ts';
import { fixedKeys } from '../../../src/access/key-source.ts';
import { systemClock } from '../../../src/kernel/index.ts';
import { keyOf, testGate } from '../../access/access-fixture.ts';
import { type EdgeServer, startEdgeServer } from '../edge-server.ts';
import { newClient, TRANSPORTS } from './lab.ts';

/*
 * The edge behind the gate that a server has: keys, and tokens that somebody signs.
 */

const SECRET = Buffer.from('0123456789abcdef0123456789abcdef');
const KEYS = { backend: keyOf('backend', { '#': ['publish', 'admin'] }) };

let server: EdgeServer;
let gate: Gate;
before(async () => {
  const rules = {
    name: 'test',
    algorithms: ['HS256'],
    issuer: undefined,
    audience: undefined,
    allow: { 'users/{user}/#': ['subscribe', 'publish', 'history', 'presence'] },
  } as const;
  const issuer = new Issuer(rules as never, fixedKeys({ kind: 'key', key: SECRET }));
  server = await startEdgeServer({
    limits: { centrifugeExpiryGraceMs: 0 },
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
after(async () => {
  await server.close();
  gate.close();
});

function token(claims: JWTPayload, secret = SECRET): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setIssuedAt().sign(secret);
}

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

for (const way of TRANSPORTS) {
  test(`a token decides about each channel, over ${way.name}`, async () => {
    const client = newClient(server.port, way, { token: await token({ sub: 'alice', exp: inSeconds(60) }) });
    client.connect();
    const own = client.newSubscription('users/alice/inbox');
    own.subscribe();
    await own.ready();
    const others = client.newSubscription('users/bob/inbox');
    const code = new Promise<number>((resolve) =>
      others.on('unsubscribed', (context) => resolve(context.code)),
    );
    others.subscribe();
    assert.equal(await code, 103);
    await assert.rejects(client.publish('users/bob/inbox', way.protocol === 'json' ? 1 : Buffer.from('1')), {
      code: 103,
    });
    client.disconnect();
  });

  test(`a token that has expired is replaced by a new one, over ${way.name}`, async () => {
    const late = await token({ sub: 'alice', exp: inSeconds(-10) });
    const good = await token({ sub: 'alice', exp: inSeconds(60) });
    const client = newClient(server.port, way, { token: late, getToken: async () => good });
    client.connect();
    await client.ready();
    client.disconnect();
  });

  test(`a token that somebody else has signed is refused for good, over ${way.name}`, async () => {
    const forged = await token({ sub: 'alice' }, Buffer.from('another secret, another secret!!'));
    const client = newClient(server.port, way, { token: forged });
    const code = new Promise<number>((resolve) =>
      client.on('disconnected', (context) => resolve(context.code)),
    );
    client.connect();
    assert.equal(await code, 3500);
  });

  test(`a token that is revoked ends its connections, over ${way.name}`, async () => {
    const jti = `revoked ${way.name}`;
    const client = newClient(server.port, way, { token: await token({ sub: 'alice', jti }) });
    const code = new Promise<number>((resolve) =>
      client.on('disconnected', (context) => resolve(context.code)),
    );
    client.connect();
    await client.ready();
    gate.adopt({
      keys: new Map(Object.entries(KEYS)),
      revoked: { ...NOTHING_REVOKED, tokenIds: new Set([jti]) },
    });
    assert.equal(await code, 3500);
  });

  test(`who has no token may do what anonymous may, over ${way.name}`, async () => {
    const client = newClient(server.port, way);
    client.connect();
    const open = client.newSubscription('public/news');
    open.subscribe();
    await open.ready();
    const lentToken = await token({ channel: 'users/alice/inbox' });
    const lent = client.newSubscription('users/alice/inbox', { token: lentToken });
    lent.subscribe();
    await lent.ready();
    client.disconnect();
  });
}

test('a connection whose token is not replaced is closed at its end', async () => {
  const socket = new WsClient(`ws://127.0.0.1:${server.port}/connection/websocket`);
  await once(socket, 'open');
  const short = await token({ sub: 'alice', exp: inSeconds(2) });
  socket.send(JSON.stringify({ id: 1, connect: { token: short } }));
  const [reply] = await once(socket, 'message');
  const { expires, ttl } = JSON.parse(String(reply)).connect;
  assert.equal(expires, true);
  assert.ok(ttl === 1 || ttl === 2);
  const [code, reason] = await once(socket, 'close');
  assert.deepEqual([code, String(reason)], [3005, 'connection expired']);
});

test('the server API takes a key that exists, and no token that may not administer', async () => {
  const status = async (key: string): Promise<unknown> => {
    const response = await fetch(`${server.url}/api/info`, {
      method: 'POST',
      headers: { 'x-api-key': key },
      body: '{}',
    });
    return response.ok ? Object.keys((await response.json()) as object)[0] : response.status;
  };
  assert.equal(await status('backend'), 'result');
  assert.equal(await status('frontend'), 401);
  assert.equal(await status(await token({ sub: 'alice' })), 'error');
});
