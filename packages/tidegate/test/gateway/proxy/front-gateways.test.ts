import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { parseSignatureKey, signGrip } from '../../../src/wire/grip/index.ts';
import { openProxyLab } from '../lab.ts';

const FAR_S = 4_000_000_000;
const signature = (key: string, expiresS = FAR_S): string =>
  signGrip(parseSignatureKey(key), 'front', expiresS);

/** What the origin is asked, and what the client gets, for a request with these fields on a route that knows the gateway in front. */
async function exchangeWith(t: TestContext, fields: readonly string[]) {
  const { connect, origin } = await openProxyLab(t, { grip: { key: 'own', upstreamKey: 'front key' } });
  const client = await connect();
  client.send(`GET /a HTTP/1.1\r\nHost: a.example\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`);
  const connection = await origin.connection();
  const asked = await connection.request();
  return { client, connection, asked };
}

test('a request that a gateway in front has signed passes with what that says of GRIP', async (t) => {
  const signed = signature('front key');
  const { client, connection, asked } = await exchangeWith(t, [
    `Grip-Sig: ${signed}`,
    'Grip-Last: a; last-id=1',
  ]);
  assert.match(asked, new RegExp(`Grip-Sig: ${signed}\r\n`));
  assert.match(asked, /Grip-Last: a; last-id=1\r\n/);
  assert.doesNotMatch(asked, /Grip-Feature/);
  connection.answer('whole', 'Grip-Hold: stream\r\nGrip-Channel: a\r\n');
  const answer = await client.take('whole');
  assert.match(answer, /Grip-Hold: stream\r\n/);
  assert.match(answer, /Grip-Channel: a\r\n/);
});

for (const [what, token] of [
  ['another key', signature('some other key')],
  ['a time that is over', signature('front key', 1000)],
  ['nothing that is a signature', 'nonsense'],
] as const) {
  test(`a request that is signed with ${what} is a client's`, async (t) => {
    const { client, connection, asked } = await exchangeWith(t, [
      `Grip-Sig: ${token}`,
      'Grip-Last: a; last-id=1',
    ]);
    assert.ok(!asked.includes(token));
    assert.doesNotMatch(asked, /Grip-Last/);
    assert.match(asked, /Grip-Feature: /);
    connection.answer('first', 'Grip-Hold: stream\r\nGrip-Channel: a\r\n');
    const answer = await client.take('first');
    assert.doesNotMatch(answer, /Grip-Hold/);
  });
}
