import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Certificates, NO_OPENSSL } from '../support/certificates.ts';
import { ServerProcess } from '../support/server-process.ts';
import { Program, runProgram } from './run-program.ts';

describe('Commands and a server that asks for certificates', { skip: NO_OPENSSL }, () => {
  const cleanups: (() => unknown)[] = [];
  let certificates: Certificates;
  let server: ServerProcess;
  let environment: NodeJS.ProcessEnv;

  before(async () => {
    certificates = await Certificates.create({
      after: (cleanup) => void cleanups.push(cleanup as () => unknown),
    });
    await certificates.make('server', { names: ['DNS:localhost'] });
    await certificates.make('authority', { authority: true });
    await certificates.make('backend', { issuer: 'authority' });
    await certificates.make('stranger');
    server = await ServerProcess.start({
      config: [
        'tls:',
        `  clientCa: ${certificates.certificate('authority')}`,
        '  certificates:',
        `    - certificate: ${certificates.certificate('server')}`,
        `      key: ${certificates.key('server')}`,
        "access: {certificates: {'CN:backend': {'orders/#': [publish, subscribe, history]}}}",
      ].join('\n'),
    });
    environment = {
      TIDEGATE_URL: `https://localhost:${server.port}`,
      NODE_EXTRA_CA_CERTS: certificates.certificate('server'),
    };
  });

  after(async () => {
    await server?.remove();
    for (const cleanup of cleanups) await cleanup();
  });

  const files = (name: string, keyOf = name): string[] => [
    ...['--client-certificate', certificates.certificate(name)],
    ...['--client-key', certificates.key(keyOf)],
  ];
  const run = (args: readonly string[], input = '') => runProgram(args, input, environment);

  test('publish, by body and by line, and subscribe with theirs', async () => {
    const subscriber = new Program(
      ['subscribe', 'orders/1', '--from', 'earliest', '--count', '3', ...files('backend')],
      environment,
    );
    assert.equal((await run(['publish', 'orders/1', 'one', ...files('backend')])).code, 0);
    assert.equal(
      (await run(['publish', 'orders/1', '--lines', ...files('backend')], 'two\nthree\n')).code,
      0,
    );
    const { code, output } = await subscriber.ended;
    assert.deepEqual([code, output], [0, 'one\ntwo\nthree\n']);
  });

  test('are told what the server refuses', async () => {
    const { code, errors } = await run(['publish', 'other', 'x', ...files('backend')]);
    assert.equal(code, 1);
    assert.match(errors, /^code: {2}access_denied$/m);
  });

  test('do not get in with none, or with one that nobody vouches for', async () => {
    for (const certificate of [[], files('stranger')]) {
      const { code, errors } = await run(['publish', 'orders/1', 'x', ...certificate]);
      assert.equal(code, 1);
      assert.match(errors, /^code: {2}server_unreachable$/m);
    }
  });

  test('read on when the server was away', async () => {
    const subscriber = new Program(
      ['subscribe', 'orders/2', '--from', 'earliest', '--count', '2', ...files('backend')],
      environment,
    );
    await run(['publish', 'orders/2', 'one', ...files('backend')]);
    await subscriber.printed(/one/);
    await server.kill();
    await server.start();
    await run(['publish', 'orders/2', 'two', ...files('backend')]);
    assert.equal((await subscriber.ended).output, 'one\ntwo\n');
  });

  test('take a certificate with its key, and over https only', async () => {
    for (const [given, reason] of [
      [['--client-key', certificates.key('backend')], /go together/],
      [files('backend', 'stranger'), /cannot be used: .*key values mismatch/],
      [files('missing'), /cannot be used: ENOENT/],
      [[...files('backend'), '--url', 'http://127.0.0.1:1'], /over https:\/\/ only/],
    ] as const) {
      const { code, errors } = await run(['publish', 'orders/1', 'x', ...given]);
      assert.equal(code, 2);
      assert.match(errors, reason);
    }
  });
});
