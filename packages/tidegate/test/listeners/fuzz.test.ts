import assert from 'node:assert/strict';
import test from 'node:test';
import { seededRandom } from '../../src/kernel/index.ts';
import { cut, mutant } from '../wire/http1/mutations.ts';
import { collect, openLab, until } from './lab.ts';

test('hundreds of broken clients, cut and reset at random, leave a listener that works and holds nothing', async (t) => {
  const lab = await openLab(t, (exchange) => {
    // Some handlers answer at once, some after the body, some later.
    const { path } = exchange.request;
    if (path.length % 3 === 0) exchange.respond(200, {}, path);
    else if (path.length % 3 === 1) collect(exchange, (body) => exchange.respond(200, {}, body));
    else setImmediate(() => exchange.respond(200, {}, path));
  });
  const random = seededRandom(7);
  for (let round = 0; round < 20; round++) {
    const clients = await Promise.all(Array.from({ length: 25 }, () => lab.connect()));
    for (const client of clients) {
      client.socket.resume();
      for (const piece of cut(mutant(random), random)) {
        client.send(piece);
        if (random.uint32() % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      if (random.uint32() % 3 === 0) client.socket.resetAndDestroy();
      else if (random.uint32() % 2 === 0) client.socket.end();
    }
    // What is incomplete is waited for: in vain.
    await new Promise((resolve) => setImmediate(resolve));
    for (const timeout of ['httpHeadTimeoutMs', 'httpKeepAliveTimeoutMs', 'httpLingerTimeoutMs'] as const) {
      lab.clock.advance(lab.limits[timeout] * 2);
    }
    for (const client of clients) client.socket.end();
  }
  await until(() => {
    lab.clock.advance(lab.limits.httpKeepAliveTimeoutMs * 2);
    return lab.metric('tidegate_http_connections_open') === 0;
  });
  assert.deepEqual(
    lab.logged.filter(({ level }) => level === 'error'),
    [],
  );
  const client = await lab.connect();
  client.send('GET /fine HTTP/1.1\r\nHost: x\r\n\r\n');
  await client.take('/fine');
});
