import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { test } from 'node:test';
import { Certificates as AllowedCertificates } from '../../src/access/certificates.ts';
import { NOTHING_REVOKED } from '../../src/access/index.ts';
import { Certificates, NO_OPENSSL } from '../support/certificates.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ServerProcess } from '../support/server-process.ts';
import { testGate } from './access-fixture.ts';

const NEVER = Number.POSITIVE_INFINITY;

test('what several names of a certificate allow adds up, and names that mean nothing mean nothing', () => {
  const certificates = new AllowedCertificates({
    'DNS:a.example': { 'orders/#': ['subscribe'] },
    'CN:backend': { 'orders/#': ['publish'], news: ['publish'] },
  });
  const both = certificates.identityOf({
    commonName: 'backend',
    names: ['DNS:a.example'],
    expiresMs: NEVER,
  });
  assert.ok(both !== null);
  assert.deepEqual(
    [both.credential, both.name, both.user],
    ['certificate', 'certificate:DNS:a.example', 'DNS:a.example'],
  );
  assert.deepEqual(
    [
      both.allows('subscribe', 'orders/1'),
      both.allows('publish', 'orders/1'),
      both.allows('publish', 'news'),
      both.allows('history', 'orders/1'),
    ],
    [true, true, true, false],
  );
  const named = (commonName: string, ...names: string[]) =>
    certificates.identityOf({ commonName, names, expiresMs: NEVER });
  assert.equal(named('a.example'), null);
  assert.equal(named('', 'DNS:b.example', 'DNS:backend', 'URI:CN:backend'), null);
  assert.equal(named('backend'), named('backend'));
});

test('who shows a certificate that has ended meanwhile, or that means nothing, is nobody in particular', () => {
  const clock = new ManualClock();
  const certificates = new AllowedCertificates({ 'CN:backend': { '#': ['publish'] } });
  const gate = testGate({ clock, certificates });
  assert.equal(gate.hasCredentials, true);
  const shown = { commonName: 'backend', names: [], expiresMs: clock.nowMs() + 1000 };
  assert.equal(gate.certified(shown).allows('publish', 'a'), true);
  assert.equal(gate.certified({ ...shown, commonName: 'other' }), gate.anonymous);
  const ended: string[] = [];
  gate.hold(gate.certified(shown), { accessEnded: (reason) => ended.push(reason) });
  gate.adopt({ keys: new Map(), revoked: NOTHING_REVOKED });
  assert.deepEqual(ended, []);
  clock.advance(1000);
  assert.deepEqual(ended, ['expired']);
  assert.equal(gate.certified(shown), gate.anonymous);
});

test('a server lets those in by their certificates', { skip: NO_OPENSSL }, async (t) => {
  const files = await Certificates.create(t);
  await files.make('authority', { authority: true });
  await files.make('server', { names: ['IP:127.0.0.1'] });
  await files.make('backend', { names: ['DNS:backend.example'], issuer: 'authority' });
  await files.make('stranger', { issuer: 'authority' });
  const server = await ServerProcess.start({
    config: `
tls:
  certificates: [{certificate: ${files.certificate('server')}, key: ${files.key('server')}}]
  clientCa: ${files.certificate('authority')}
  clientCertificates: request
access:
  certificates:
    'DNS:backend.example': {'orders/#': [publish]}
`,
  });
  t.after(() => server.remove());
  const ca = await readFile(files.certificate('server'));
  const publish = async (channel: string, shown?: string, headers = {}): Promise<number | undefined> => {
    const pair =
      shown === undefined
        ? {}
        : { cert: await readFile(files.certificate(shown)), key: await readFile(files.key(shown)) };
    return new Promise((resolve, reject) => {
      const options = {
        method: 'POST',
        host: '127.0.0.1',
        port: server.port,
        path: `/v1/channels/${channel}`,
        headers: { 'content-type': 'text/plain', ...headers },
        agent: false,
        ca,
        ...pair,
      } as const;
      request(options, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode));
      })
        .on('error', reject)
        .end('x');
    });
  };
  assert.equal(await publish('orders/1', 'backend'), 200);
  assert.equal(await publish('other', 'backend'), 403);
  assert.equal(await publish('orders/1', 'stranger'), 401);
  assert.equal(await publish('orders/1'), 401);
  // A credential of the request counts for more, also if it is wrong.
  assert.equal(await publish('orders/1', 'backend', { authorization: 'Bearer nonsense' }), 401);
});
