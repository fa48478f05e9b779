import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { connect as connectPlain } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { TlsSettings } from '../../src/listeners/options.ts';
import type { ByteChannel, ClientCertificate, HttpHandler } from '../../src/listeners/port.ts';
import { Certificates, NO_OPENSSL } from '../support/certificates.ts';
import { ask as askOver, openSession } from './http2-lab.ts';
import { type Lab, openLab, RawClient, RecordingOwner, until } from './lab.ts';

const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
const fine: HttpHandler = (exchange) => exchange.respond(200, {}, 'fine');

/** Settings with these certificates of a folder. */
function settings(
  certificates: Certificates,
  names: readonly string[],
  rest: Partial<TlsSettings> = {},
): TlsSettings {
  return {
    certificates: names.map((name) => certificates.files(name)),
    minVersion: 'TLSv1.2',
    clients: null,
    ...rest,
  };
}

/** A client that believes any certificate, to look at what it is shown. */
async function secure(t: TestContext, lab: Lab, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({
    host: '127.0.0.1',
    port: lab.listener.port,
    rejectUnauthorized: false,
    ...options,
  });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

const nameShown = (socket: TLSSocket): string => String(socket.getPeerCertificate().subject.CN);

async function ask(t: TestContext, lab: Lab, options: ConnectionOptions = {}): Promise<string> {
  const client = new RawClient(await secure(t, lab, options));
  client.send(GET);
  return client.ended();
}

/** The error with which a handshake fails, or what comes instead of an answer. */
async function refusal(t: TestContext, lab: Lab, options: ConnectionOptions): Promise<string> {
  try {
    const answer = await ask(t, lab, options);
    return answer === '' ? 'closed' : answer;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

describe('TLS', { skip: NO_OPENSSL }, () => {
  test('carries HTTP/1.1 to the same handlers, which see its scheme', async (t) => {
    const certificates = await Certificates.create(t);
    await certificates.make('one');
    let seen: unknown;
    const lab = await openLab(
      t,
      (exchange) => {
        const { scheme, majorVersion, minorVersion, clientCertificate, remoteAddress } = exchange.request;
        seen = { scheme, majorVersion, minorVersion, clientCertificate, remoteAddress };
        exchange.respond(200, {}, 'fine');
      },
      {},
      settings(certificates, ['one']),
    );
    const socket = await secure(t, lab);
    assert.equal(socket.getProtocol(), 'TLSv1.3');
    assert.match(await ask(t, lab), /^HTTP\/1\.1 200 .*fine$/s);
    assert.deepEqual(seen, {
      scheme: 'https',
      majorVersion: 1,
      minorVersion: 1,
      clientCertificate: null,
      remoteAddress: '127.0.0.1',
    });
    assert.equal(lab.metric('tidegate_tls_handshakes_total{http/1.1}'), 2);
  });

  test('shows the certificate of the name that the client asks for, and the first for any other', async (t) => {
    const certificates = await Certificates.create(t);
    await certificates.make('first', { names: ['DNS:a.example'] });
    await certificates.make('second', { names: ['DNS:b.example', 'DNS:*.c.example'] });
    await certificates.make('third', { commonName: 'd.example' });
    await certificates.make('fourth', { names: ['DNS:not-asked.example'] });
    const tls = settings(certificates, ['first', 'second', 'third']);
    const lab = await openLab(
      t,
      fine,
      {},
      {
        ...tls,
        certificates: [...tls.certificates, certificates.files('fourth', ['e.example'])],
      },
    );
    const shown = async (servername: string) => nameShown(await secure(t, lab, { servername }));
    assert.equal(await shown('a.example'), 'first');
    assert.equal(await shown('B.example'), 'second');
    assert.equal(await shown('x.c.example'), 'second');
    assert.equal(await shown('x.y.c.example'), 'first', 'a wildcard is one label');
    assert.equal(await shown('d.example'), 'd.example', 'the common name where there is no other');
    assert.equal(await shown('e.example'), 'fourth', 'the names of the config file');
    assert.equal(
      await shown('not-asked.example'),
      'first',
      'which stand in the place of those of the certificate',
    );
    assert.equal(await shown('unknown.example'), 'first');
    assert.equal(nameShown(await secure(t, lab)), 'first', 'without a name');
  });

  test('speaks 1.2 and 1.3 and nothing older', async (t) => {
    const certificates = await Certificates.create(t);
    await certificates.make('one');
    const lab = await openLab(t, fine, {}, settings(certificates, ['one']));
    const legacy = { ciphers: 'DEFAULT:@SECLEVEL=0' };
    const older = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ...legacy } as const;
    assert.match(await refusal(t, lab, older), /^ERR_SSL_|^ECONNRESET$/);
    const twelve = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
    assert.equal((await secure(t, lab, twelve)).getProtocol(), 'TLSv1.2');
    // A suite of TLS 1.2 whose past traffic can be read by who gets the key.
    assert.match(
      await refusal(t, lab, { ...twelve, ciphers: 'AES128-GCM-SHA256' }),
      /^ERR_SSL_|^ECONNRESET$/,
    );
    await until(() => lab.metric('tidegate_tls_handshakes_total{failed}') === 2);

    const strict = await openLab(t, fine, {}, settings(certificates, ['one'], { minVersion: 'TLSv1.3' }));
    assert.match(await refusal(t, strict, twelve), /^ERR_SSL_|^ECONNRESET$/);
    assert.equal((await secure(t, strict)).getProtocol(), 'TLSv1.3');
  });

  test('agrees on HTTP/2 before HTTP/1.1, and refuses who speaks neither (RFC 7301, section 3.2)', async (t) => {
    const certificates = await Certificates.create(t);
    await certificates.make('one');
    const lab = await openLab(t, fine, {}, settings(certificates, ['one']));
    const agreed = async (...ALPNProtocols: string[]) =>
      (await secure(t, lab, { ALPNProtocols })).alpnProtocol;
    assert.equal(await agreed('http/1.1', 'h2'), 'h2');
    assert.equal(await agreed('http/1.1'), 'http/1.1');
    assert.equal((await secure(t, lab)).alpnProtocol, false);
    assert.match(await refusal(t, lab, { ALPNProtocols: ['spdy/3'] }), /^ERR_SSL_|^ECONNRESET$/);
  });

  test('a handshake that does not come, or is none, ends the connection', async (t) => {
    const certificates = await Certificates.create(t);
    await certificates.make('one');
    const lab = await openLab(t, fine, {}, settings(certificates, ['one']));
    const silent = await lab.connect();
    const plain = await lab.connect();
    plain.send(GET);
    await plain.ended();
    assert.equal(lab.metric('tidegate_http_connections_open'), 1);
    lab.clock.advance(lab.limits.httpHeadTimeoutMs * 2);
    await silent.ended();
    await until(() => lab.metric('tidegate_http_connections_open') === 0);
  });

  test('handshakes count as connections, and those beyond the limit are dropped', async (t) => {
    const certificates = await Certificates.create(t);
    await certificates.make('one');
    const lab = await openLab(t, fine, { connectionsMax: 1 }, settings(certificates, ['one']));
    const first = await lab.connect();
    await until(() => lab.metric('tidegate_http_connections_open') === 1);
    const second = await lab.connect();
    await second.ended();
    assert.equal(lab.metric('tidegate_http_connections_refused_total{connections_max}'), 1);
    first.socket.destroy();
    await until(() => lab.metric('tidegate_http_connections_open') === 0);
    assert.match(await ask(t, lab), /fine$/);
  });

  test('draining ends handshakes and unused connections, and finishes what is under way', async (t) => {
    const certificates = await Certificates.create(t);
    await certificates.make('one');
    let answer = (): void => assert.fail('nothing was asked');
    const lab = await openLab(
      t,
      (exchange) => {
        answer = () => exchange.respond(200, {}, 'finished');
      },
      {},
      settings(certificates, ['one']),
    );
    const shaking = await lab.connect();
    const unused = new RawClient(await secure(t, lab));
    const busy = new RawClient(await secure(t, lab));
    busy.send(GET);
    await until(() => lab.metric('tidegate_http_received_bytes') === GET.length);
    await until(() => lab.metric('tidegate_http_connections_open') === 3);
    const drained = lab.listener.drain(60_000);
    await shaking.ended();
    await unused.ended();
    answer();
    assert.match(await busy.ended(), /finished$/);
    await drained;
  });
});

describe('The certificates of a listener', { skip: NO_OPENSSL }, () => {
  const LOOK_MS = 2000;
  const DAY_MS = 24 * 3600 * 1000;

  test('are replaced for new connections when their files change, while older connections go on', async (t) => {
    const certificates = await Certificates.create(t);
    await certificates.make('used', { commonName: 'earlier' });
    await certificates.make('renewed', { commonName: 'later' });
    const channels: ByteChannel[] = [];
    const lab = await openLab(
      t,
      (exchange) => void channels.push(exchange.stream(200, {}, new RecordingOwner(), 'close')),
      {},
      settings(certificates, ['used']),
    );
    const socket = await secure(t, lab);
    assert.equal(nameShown(socket), 'earlier');
    const subscriber = new RawClient(socket);
    subscriber.send(GET);
    await subscriber.take('\r\n\r\n');

    await certificates.replace('used', 'renewed');
    lab.clock.advance(LOOK_MS);
    await until(() => lab.metric('tidegate_tls_reloads_total{ok}') === 1);
    assert.equal(nameShown(await secure(t, lab)), 'later');
    assert.equal(nameShown(await secure(t, lab, { servername: 'later' })), 'later');
    channels[0].write(Buffer.from('still here'));
    assert.equal(await subscriber.take('still here'), 'still here');

    // Nothing has changed since.
    lab.clock.advance(LOOK_MS);
    await lab.listener.reload();
    assert.equal(lab.metric('tidegate_tls_reloads_total{ok}'), 2, 'only the one that was asked for');
  });

  test('stay as they were when what replaces them cannot be used, which is logged', async (t) => {
    const certificates = await Certificates.create(t);
    await certificates.make('used', { commonName: 'good' });
    await certificates.make('kept', { commonName: 'good' });
    await certificates.make('other');
    await certificates.make('brief', { days: 1 });
    const lab = await openLab(t, fine, {}, settings(certificates, ['used']));
    const failures = () => lab.logged.filter(({ level }) => level === 'error').map(({ fields }) => fields);
    let failed = 0;
    const isKept = async (code: string, detail: RegExp) => {
      lab.clock.advance(LOOK_MS);
      await until(() => lab.metric('tidegate_tls_reloads_total{failed}') === failed + 1);
      failed++;
      assert.equal(failures()[failed - 1].code, code);
      assert.match(String(failures()[failed - 1].detail), detail);
      assert.equal(nameShown(await secure(t, lab)), 'good');
    };

    await writeFile(certificates.key('used'), 'no key');
    await isKept('tls_certificate_invalid', /used\.key: there is no private key/);
    await copyFile(certificates.key('other'), certificates.key('used'));
    await isKept('tls_certificate_invalid', /used\.pem: the key in .* is not that of the certificate/);
    await rm(certificates.certificate('used'));
    await isKept('tls_file_unreadable', /used\.pem: there is no such file/);
    await certificates.replace('used', 'brief');
    lab.clock.advance(2 * DAY_MS);
    await isKept('tls_certificate_invalid', /used\.pem: the certificate expired on /);

    await certificates.replace('used', 'kept');
    await lab.listener.reload();
    assert.equal(lab.metric('tidegate_tls_reloads_total{ok}'), 1);
  });

  test('that end within two weeks are warned of, and their end is a metric', async (t) => {
    const certificates = await Certificates.create(t);
    await certificates.make('long');
    await certificates.make('brief', { days: 10 });
    const lasting = await openLab(t, fine, {}, settings(certificates, ['long']));
    assert.deepEqual(lasting.logged, []);
    const ending = await openLab(t, fine, {}, settings(certificates, ['long', 'brief']));
    assert.deepEqual(
      ending.logged.map(({ level }) => level),
      ['warn'],
    );
    const left = ending.metric('tidegate_tls_certificate_expiry_seconds') * 1000 - ending.clock.nowMs();
    assert.ok(left > 9 * DAY_MS && left <= 10 * DAY_MS, `${left}`);
  });

  test('that cannot be used at the start are a refusal, which names the file and the reason', async (t) => {
    const certificates = await Certificates.create(t);
    await certificates.make('one');
    await certificates.make('two');
    await writeFile(certificates.certificate('empty'), '');
    const refused = async (tls: TlsSettings, code: string, detail: RegExp) =>
      assert.rejects(openLab(t, fine, {}, tls), (error: { code: string; detail: string }) => {
        assert.equal(error.code, code);
        assert.match(error.detail, detail);
        return true;
      });
    const pair = (certificate: string, key: string): TlsSettings => ({
      ...settings(certificates, []),
      certificates: [{ certificate, key, names: [] }],
    });
    const [one, two] = [certificates.certificate('one'), certificates.key('two')];
    await refused(
      pair(one, two),
      'tls_certificate_invalid',
      /one\.pem: the key in .*two\.key is not that of/,
    );
    await refused(pair('/none.pem', two), 'tls_file_unreadable', /^\/none\.pem: there is no such file\.$/);
    await refused(pair(certificates.folder, two), 'tls_file_unreadable', /: it is a folder\.$/);
    const empty = certificates.certificate('empty');
    await refused(pair(empty, two), 'tls_certificate_invalid', /empty\.pem: there is no certificate in PEM/);
    await refused(pair(one, one), 'tls_certificate_invalid', /one\.pem: there is no private key in PEM/);
    await refused(
      settings(certificates, ['one'], { clients: { ca: empty, certificates: 'require' } }),
      'tls_certificate_invalid',
      /empty\.pem: there is no certificate/,
    );
  });

  test('of a client are asked for, compared with the authorities, and told to handlers', async (t) => {
    const certificates = await Certificates.create(t);
    await certificates.make('server');
    await certificates.make('authority', { authority: true });
    await certificates.make('stranger', { authority: true });
    const names = ['DNS:backend.example', 'URI:spiffe://example/backend', 'email:ops@example.org'];
    await certificates.make('client', { commonName: 'backend', names, issuer: 'authority' });
    await certificates.make('impostor', { commonName: 'backend', names, issuer: 'stranger' });
    const shown = async (name: string): Promise<ConnectionOptions> => ({
      cert: await readFile(certificates.certificate(name)),
      key: await readFile(certificates.key(name)),
    });
    let seen: ClientCertificate | null = null;
    const handler: HttpHandler = (exchange) => {
      seen = exchange.request.clientCertificate;
      exchange.respond(200, {}, 'fine');
    };
    const ca = certificates.certificate('authority');
    const required = await openLab(
      t,
      handler,
      {},
      settings(certificates, ['server'], { clients: { ca, certificates: 'require' } }),
    );
    const isRefused = /^ERR_SSL_|^ECONNRESET$|^closed$/;
    assert.match(await refusal(t, required, {}), isRefused);
    assert.match(await refusal(t, required, await shown('impostor')), isRefused);
    assert.match(await refusal(t, required, { maxVersion: 'TLSv1.2' }), isRefused);
    assert.equal(seen, null, 'nobody came through');

    for (const servername of ['', 'server']) {
      assert.match(await ask(t, required, { ...(await shown('client')), servername }), /fine$/);
      const { expiresMs, fingerprint, ...told } = seen as unknown as ClientCertificate;
      assert.deepEqual(told, { subject: 'O=Tests, CN=backend', commonName: 'backend', names });
      assert.match(fingerprint, /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
      assert.ok(expiresMs > Date.now());
      seen = null;
    }

    const session = await openSession(t, required, await shown('client'));
    assert.equal((await askOver(session).answer()).body, 'fine');
    assert.equal((seen as unknown as ClientCertificate).commonName, 'backend', 'over HTTP/2 too');

    const requested = await openLab(
      t,
      handler,
      {},
      settings(certificates, ['server'], { clients: { ca, certificates: 'request' } }),
    );
    assert.match(await ask(t, requested, await shown('client')), /fine$/);
    assert.notEqual(seen, null);
    assert.match(await ask(t, requested), /fine$/);
    assert.equal(seen, null, 'none was shown');
    assert.match(await ask(t, requested, await shown('impostor')), /fine$/);
    assert.equal(seen, null, 'none that is believed was shown');
  });
});

test('a listener without TLS speaks none', async (t) => {
  const lab = await openLab(t, fine);
  const socket = connectPlain(lab.listener.port, '127.0.0.1');
  t.after(() => socket.destroy());
  const client = new RawClient(socket);
  client.send(GET);
  assert.match(await client.ended(), /fine$/);
  await lab.listener.reload();
});
