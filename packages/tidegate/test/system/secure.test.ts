import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type ClientHttp2Session, connect } from 'node:http2';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import WebSocket from 'ws';
import { ask } from '../listeners/http2-lab.ts';
import { until } from '../listeners/lab.ts';
import { Certificates, NO_OPENSSL } from '../support/certificates.ts';
import { ServerProcess } from '../support/server-process.ts';
import { childrenOf } from '../support/worker-processes.ts';

const run = promisify(execFile);
const NO_CURL: string | false =
  spawnSync('curl', ['--version'], { encoding: 'utf8' }).stdout?.includes('HTTP2') === true
    ? false
    : 'curl with HTTP/2 is not installed';

describe('A server with TLS', { skip: NO_OPENSSL }, () => {
  let certificates: Certificates;
  let server: ServerProcess;
  let url: string;
  let session: ClientHttp2Session;

  const cleanups: (() => unknown)[] = [];

  after(async () => {
    session?.destroy();
    await server?.remove();
    for (const cleanup of cleanups) await cleanup();
  });

  before(async () => {
    certificates = await Certificates.create({
      after: (cleanup) => void cleanups.push(cleanup as () => unknown),
    });
    await certificates.make('server', { names: ['DNS:localhost', 'IP:127.0.0.1'] });
    await certificates.make('renewed', { commonName: 'renewed', names: ['DNS:localhost', 'IP:127.0.0.1'] });
    const config = [
      'tls:',
      '  certificates:',
      `    - certificate: ${certificates.certificate('server')}`,
      `      key: ${certificates.key('server')}`,
    ];
    server = await ServerProcess.start({ config: `${config.join('\n')}\n` });
    url = `https://localhost:${server.port}`;
    const ca = await readFile(certificates.certificate('server'));
    session = connect(url, {
      createConnection: () =>
        connectTls({
          host: '127.0.0.1',
          port: server.port,
          servername: 'localhost',
          ALPNProtocols: ['h2'],
          ca,
        }),
    });
    await once(session, 'connect');
  });

  const publish = (channel: string, body: string) =>
    ask(
      session,
      { ':method': 'POST', ':path': `/v1/channels/${channel}`, 'content-type': 'text/plain' },
      body,
    ).answer();

  test('says so where it announces itself', async () => {
    assert.match(server.output, new RegExp(`"publicUrl":"https://127\\.0\\.0\\.1:${server.port}"`));
  });

  test('publishes and streams events over HTTP/2, resumed from where they were left', async () => {
    const first = ask(session, { ':path': '/v1/channels/sse', accept: 'text/event-stream' });
    await first.until('\n\n');
    assert.equal((await publish('sse', 'one')).status, 200);
    await first.until('data: one\n\n');
    const id = /id: (\S+)\ndata: one/.exec(first.received)?.[1];
    first.stream.close();
    await publish('sse', 'two');
    const resumed = ask(session, {
      ':path': '/v1/channels/sse',
      accept: 'text/event-stream',
      'last-event-id': id,
    });
    await resumed.until('data: two\n\n');
    assert.doesNotMatch(resumed.received, /data: one/);
    resumed.stream.close();
  });

  test('streams NDJSON, answers polls and history over HTTP/2', async () => {
    const stream = ask(session, { ':path': '/v1/channels/lines', accept: 'application/x-ndjson' });
    const poll = ask(session, { ':path': '/v1/channels/lines?wait=20', accept: 'application/json' });
    await until(() => stream.headers !== null);
    // Subscribed in the order of the requests: the answer to a third one tells that both are.
    await ask(session, { ':path': '/v1/history/lines' }).answer();
    await publish('lines', 'hello');
    await stream.until('"data":"hello"');
    assert.match((await poll.answer()).body, /"data":"hello"/);
    const history = await ask(session, { ':path': '/v1/history/lines' }).answer();
    assert.match(history.body, /"data":"hello"/);
    stream.stream.close();
  });

  test('takes a stream of events over HTTP/2 and answers it as it goes', async () => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/v1/publish',
      'content-type': 'application/x-ndjson',
    });
    stream.setEncoding('utf8');
    let received = '';
    stream.on('data', (text: string) => {
      received += text;
    });
    const lines = () => received.split('\n').length - 1;
    stream.write('{"channel":"many","data":1}\n');
    await until(() => lines() === 1);
    stream.write('{"channel":"many","data":2}\n{"channel":"many","data":3}\n');
    await until(() => lines() === 3);
    stream.end();
    await once(stream, 'close');
    assert.equal(lines(), 3);
  });

  test('serves a subscriber that stalls apart from its neighbours on the connection', async () => {
    const stalled = session.request({ ':path': '/v1/channels/busy', accept: 'text/event-stream' });
    stalled.on('error', () => {});
    stalled.pause();
    const live = ask(session, { ':path': '/v1/channels/busy', accept: 'text/event-stream' });
    await live.until('\n\n');
    const filling = 'x'.repeat(100_000);
    for (let count = 1; count <= 20; count++) {
      assert.equal((await publish('busy', `${count} ${filling}`)).status, 200);
      await live.until(`data: ${count} x`);
    }
    // It has missed nothing: what it did not read was not lost but waited for.
    let received = '';
    stalled.setEncoding('utf8');
    stalled.on('data', (text: string) => {
      received += text;
    });
    stalled.resume();
    await until(() => /data: 20 x+\n\n/.test(received));
    const counts = [...received.matchAll(/data: (\d+) x{100000}\n/g)].map(([, count]) => Number(count));
    assert.deepEqual(
      counts,
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
    stalled.close();
    live.stream.close();
  });

  test('answers curl in HTTP/2 and in HTTP/1.1', { skip: NO_CURL }, async () => {
    const curl = async (...options: string[]) => {
      const to = [
        '--resolve',
        `localhost:${server.port}:127.0.0.1`,
        '--cacert',
        certificates.certificate('server'),
      ];
      const { stdout } = await run('curl', ['-s', '-w', '\n%{http_version} %{http_code}', ...to, ...options]);
      return stdout.split('\n').at(-1);
    };
    assert.equal(await curl('--http2', '-d', 'hello', `${url}/v1/channels/curl`), '2 200');
    assert.equal(await curl('--http1.1', '-d', 'hello', `${url}/v1/channels/curl`), '1.1 200');
    assert.equal(await curl(`${url}/v1/history/curl`), '2 200');
    assert.equal(await curl('-I', `${url}/v1/history/curl`), '2 200');
    assert.equal(await curl(`${url}/nothing`), '2 404');
    const poll = ['-H', 'Accept: application/json', `${url}/v1/channels/curl?from=earliest`];
    assert.equal(await curl(...poll), '2 200');
  });

  test('opens WebSockets over HTTP/1.1', async () => {
    const ca = await readFile(certificates.certificate('server'));
    const socket = new WebSocket(`wss://127.0.0.1:${server.port}/v1/channels/socket`, { ca });
    const messages: string[] = [];
    socket.on('message', (data) => messages.push(String(data)));
    await once(socket, 'open');
    await publish('socket', 'from HTTP/2');
    await until(() => messages.length === 1);
    socket.send('from here');
    await until(() => messages.length === 2);
    assert.deepEqual(messages, ['from HTTP/2', 'from here']);
    socket.close();
    await once(socket, 'close');
  });

  test('reads its certificates anew on SIGHUP, while streams go on', async () => {
    const subscriber = ask(session, { ':path': '/v1/channels/renewed', accept: 'text/event-stream' });
    await subscriber.until('\n\n');
    await certificates.replace('server', 'renewed');
    process.kill(server.pid, 'SIGHUP');
    const shown = async () => {
      const socket = connectTls({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const { subject } = socket.getPeerCertificate();
      socket.destroy();
      return subject.CN;
    };
    // Each process reads them by itself, and says so.
    const processes = 1 + childrenOf(server.pid).length;
    await until(() => server.output.split('Certificates were read anew').length > processes);
    assert.equal(await shown(), 'renewed');
    await publish('renewed', 'still here');
    await subscriber.until('data: still here');
  });

  test('ends streams when it drains', async () => {
    const subscriber = ask(session, { ':path': '/v1/channels/end', accept: 'text/event-stream' });
    await subscriber.until('\n\n');
    const told = once(session, 'goaway');
    assert.equal(await server.stop(), 0);
    await told;
    const { status } = await subscriber.answer();
    assert.equal(status, 200);
    assert.equal(subscriber.stream.rstCode, 0);
  });
});

test('a server whose certificate cannot be used does not start, and says why', {
  skip: NO_OPENSSL,
}, async (t) => {
  const certificates = await Certificates.create(t);
  await certificates.make('one');
  const config = `tls:\n  certificates:\n    - {certificate: ${certificates.certificate('one')}, key: none.key}\n`;
  await assert.rejects(
    ServerProcess.start({ config }),
    /none\.key: there is no such file[\s\S]*tls_file_unreadable/,
  );
});
