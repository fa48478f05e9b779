import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { RouteOptions } from '../../../src/gateway/options.ts';
import { openProxyLab } from '../lab.ts';

type Changes = Omit<RouteOptions, 'match' | 'upstream'>;

/** The lines behind the request line that an origin gets for a request with these lines. */
async function fieldsFor(t: TestContext, lines: readonly string[], route: Changes = {}): Promise<string[]> {
  const { connect, origin } = await openProxyLab(t, route);
  const client = await connect();
  client.send(`GET / HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  const connection = await origin.connection();
  const [, ...fields] = (await connection.request()).trimEnd().split('\r\n');
  connection.answer('done');
  await client.take('done');
  return fields;
}

/** The values of the fields with this name, whatever its case. */
const valuesOf = (fields: readonly string[], name: string): string[] =>
  fields
    .filter((field) => field.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    .map((field) => field.slice(name.length + 1).trim());

test('the origin is told who asks, by which name and how (RFC 7239)', async (t) => {
  const fields = await fieldsFor(t, ['Host: shop.example:8080']);
  assert.deepEqual(valuesOf(fields, 'host'), ['shop.example:8080']);
  assert.deepEqual(valuesOf(fields, 'x-forwarded-for'), ['127.0.0.1']);
  assert.deepEqual(valuesOf(fields, 'x-forwarded-proto'), ['http']);
  assert.deepEqual(valuesOf(fields, 'x-forwarded-host'), ['shop.example:8080']);
  assert.deepEqual(valuesOf(fields, 'forwarded'), ['for=127.0.0.1;host="shop.example:8080";proto=http']);
  assert.match(valuesOf(fields, 'via').join(), /^1\.1 tidegate-\w+$/);
});

test('what a client says of those before it is not believed, but for Via', async (t) => {
  const fields = await fieldsFor(t, [
    'Host: a.example',
    'X-Forwarded-For: 10.0.0.1',
    'x-forwarded-proto: https',
    'X-FORWARDED-HOST: evil.example',
    'X-Forwarded-Port: 1',
    'X-Real-IP: 10.0.0.1',
    'Forwarded: for=10.0.0.1',
    'Via: 1.0 before',
  ]);
  assert.deepEqual(valuesOf(fields, 'x-forwarded-for'), ['127.0.0.1']);
  assert.deepEqual(valuesOf(fields, 'x-forwarded-proto'), ['http']);
  assert.deepEqual(valuesOf(fields, 'x-forwarded-host'), ['a.example']);
  assert.deepEqual(valuesOf(fields, 'x-forwarded-port'), []);
  assert.deepEqual(valuesOf(fields, 'x-real-ip'), []);
  assert.deepEqual(valuesOf(fields, 'forwarded'), ['for=127.0.0.1;host=a.example;proto=http']);
  assert.match(valuesOf(fields, 'via').join(), /^1\.0 before, 1\.1 tidegate-\w+$/);
});

test('fields of one hop stay here, with those that Connection names (RFC 9110, section 7.6.1)', async (t) => {
  const fields = await fieldsFor(t, [
    'Host: a.example',
    'Connection: keep-alive, X-Hop',
    'X-Hop: 1',
    'X-Kept: 2',
    'Keep-Alive: timeout=5',
    'Proxy-Connection: keep-alive',
    'TE: gzip, trailers',
  ]);
  for (const name of ['x-hop', 'keep-alive', 'proxy-connection'])
    assert.deepEqual(valuesOf(fields, name), [], name);
  assert.deepEqual(valuesOf(fields, 'x-kept'), ['2']);
  assert.deepEqual(valuesOf(fields, 'te'), ['trailers']);
});

test('Connection cannot take away what an origin decides on', async (t) => {
  const fields = await fieldsFor(t, [
    'Host: a.example',
    'Connection: Cookie, X-Forwarded-For, Authorization',
    'Cookie: a=1',
    'Authorization: Basic YTpi',
  ]);
  assert.deepEqual(valuesOf(fields, 'cookie'), ['a=1']);
  assert.deepEqual(valuesOf(fields, 'authorization'), ['Basic YTpi']);
  assert.deepEqual(valuesOf(fields, 'x-forwarded-for'), ['127.0.0.1']);
});

test('a route sets and removes fields', async (t) => {
  const fields = await fieldsFor(t, ['Host: a.example', 'X-Secret: 1', 'X-Tenant: mine'], {
    headers: { request: { set: { 'X-Tenant': 'theirs' }, remove: ['X-Secret'] } },
  });
  assert.deepEqual(valuesOf(fields, 'x-tenant'), ['theirs']);
  assert.deepEqual(valuesOf(fields, 'x-secret'), []);
});

test('clients cannot say what only a gateway says to an origin that speaks GRIP', async (t) => {
  const lines = ['Host: a.example', 'Grip-Sig: forged', 'Grip-Last: a; last-id=b', 'Meta-User: bob'];
  const held = await fieldsFor(t, lines, { grip: { key: 'changeme' } });
  assert.equal(valuesOf(held, 'grip-sig').length, 1);
  assert.doesNotMatch(held.join('\n'), /forged|last-id|bob/);
  const plain = await fieldsFor(t, lines);
  assert.deepEqual(valuesOf(plain, 'meta-user'), ['bob']);
});
