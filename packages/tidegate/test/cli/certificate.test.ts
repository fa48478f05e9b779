import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Certificates, NO_OPENSSL } from '../support/certificates.ts';
import { ServerProcess } from '../support/server-process.ts';
import { runProgram } from './run-program.ts';

describe('The command line and a server with TLS', { skip: NO_OPENSSL }, () => {
  const cleanups: (() => unknown)[] = [];
  let certificates: Certificates;
  let server: ServerProcess;

  before(async () => {
    certificates = await Certificates.create({
      after: (cleanup) => void cleanups.push(cleanup as () => unknown),
    });
    await certificates.make('server', { names: ['DNS:localhost'] });
    const files = `certificate: ${certificates.certificate('server')}\n      key: ${certificates.key('server')}`;
    server = await ServerProcess.start({ config: `tls:\n  certificates:\n    - ${files}\n` });
  });

  after(async () => {
    await server?.remove();
    for (const cleanup of cleanups) await cleanup();
  });

  const publishTo = (url: string, environment: NodeJS.ProcessEnv = {}) =>
    runProgram(['publish', 'a', 'b', '--url', url], '', environment);

  test('a certificate that nobody vouches for is told as such, with the variable that helps', async () => {
    const { code, errors } = await publishTo(`https://localhost:${server.port}`);
    assert.equal(code, 1);
    assert.match(errors, /^code: {2}server_untrusted$/m);
    assert.match(errors, /^fix: .*NODE_EXTRA_CA_CERTS=FILE/m);
    assert.doesNotMatch(errors, /^next: /m);
  });

  test('with NODE_EXTRA_CA_CERTS it is believed, for the names that it has and no others', async () => {
    const environment = { NODE_EXTRA_CA_CERTS: certificates.certificate('server') };
    assert.equal((await publishTo(`https://localhost:${server.port}`, environment)).code, 0);
    const other = await publishTo(`https://127.0.0.1:${server.port}`, environment);
    assert.match(other.errors, /^code: {2}server_untrusted$/m);
  });

  test('http:// to a port with TLS is told to take https://', async () => {
    const { errors } = await publishTo(`http://localhost:${server.port}`);
    assert.match(errors, /^code: {2}server_unreachable$/m);
    assert.match(errors, /https:\/\/ if it has TLS/);
  });
});
