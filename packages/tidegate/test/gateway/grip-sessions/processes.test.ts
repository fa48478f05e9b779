import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { until } from '../../listeners/lab.ts';
import { freePorts } from '../../support/ports.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { processesOf } from '../../workers/processes.ts';

/** An origin that says what it is told of sessions, and holds whoever asks for events. */
async function openOrigin(t: TestContext): Promise<number> {
  const origin = createServer((request, response) => {
    request.resume();
    if (request.url === '/events') {
      response.writeHead(200, {
        'Grip-Hold': 'stream',
        'Grip-Channel': 'news',
        'Grip-Session-Id': 's1',
        'Grip-Session-Detect': 'path-prefix=/back; sid-ptr=/sid',
      });
      response.end('held ');
      return;
    }
    const { 'grip-session-id': session, 'grip-last': last } = request.headers;
    request.on('end', () => response.end(JSON.stringify([session ?? null, last ?? null])));
  });
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  t.after(() => {
    origin.closeAllConnections();
    origin.close();
  });
  return (origin.address() as AddressInfo).port;
}

test('a client of one process has its session known in the others', async (t) => {
  const originPort = await openOrigin(t);
  const [gripPort] = await freePorts(1);
  const server = await ServerProcess.start({
    config: `
listen: { gripPort: ${gripPort} }
workers: 3
upstreams:
  app: { targets: [{ url: 'http://127.0.0.1:${originPort}' }] }
routes:
  all: { match: { path: '/*' }, upstream: app, grip: { session: true } }
`,
  });
  t.after(() => server.remove());
  const processes = processesOf(server);
  t.after(() => {
    for (const process of processes) process.close();
  });
  assert.equal(processes.length, 3);
  const stream = await processes[1].request('GET', '/events');
  t.after(() => stream.destroy());
  let received = '';
  stream.on('data', (slice) => {
    received += slice;
  });
  await until(() => received === 'held ');
  const items = ['1', '2'].map((id) => ({ channel: 'news', id, 'http-stream': { content: `<${id}>` } }));
  await fetch(`http://127.0.0.1:${gripPort}/publish`, { method: 'POST', body: JSON.stringify({ items }) });
  await until(() => received === 'held <1><2>');
  for (const process of processes) {
    // What a process has learned reaches the others a moment later.
    let answer = '';
    while (answer !== '["s1","news; last-id=2"]') answer = await process.post('/back', '{"sid":"s1"}');
    assert.equal(await process.post('/back', '{"sid":"s2"}'), '["s2",null]');
  }
});
