import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { RouteOptions } from '../../../src/gateway/options.ts';
import { advanceUntil, problemCode, until } from '../../listeners/lab.ts';
import { type GatewayLab, openGatewayLab, openOrigin, openProxyLab, type ScriptedOrigin } from '../lab.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** Asks once and has the origin answer with a status. */
async function exchange(lab: GatewayLab, origin: ScriptedOrigin, status: number): Promise<string> {
  const client = await lab.connect();
  client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const connection = await origin.connection();
  await connection.request();
  connection.send(`HTTP/1.1 ${status} Whatever\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  return client.ended();
}

test('a failed attempt is made again after a pause, up to the number of attempts', async (t) => {
  const lab = await openProxyLab(t, {
    retry: { attempts: 3, on: [503], backoff: '100ms', backoffMax: '1s' },
  });
  const client = await lab.connect();
  client.send(GET);
  for (let attempt = 1; attempt <= 2; attempt++) {
    await advanceUntil(lab.clock, 10, () => lab.origin.connections.length >= attempt);
    const connection = await lab.origin.connection();
    await connection.request();
    connection.send('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n');
    await connection.ended();
  }
  await advanceUntil(lab.clock, 10, () => lab.origin.connections.length === 3);
  const last = await lab.origin.connection();
  await last.request();
  last.answer('at last');
  assert.match(await client.take('at last'), /^HTTP\/1\.1 200 /);
  assert.equal(lab.metric('tidegate_gateway_retries_total{all}'), 2);
});

test('the last attempt is the answer, whatever it says', async (t) => {
  const lab = await openProxyLab(t, { retry: { attempts: 2, on: [503], backoff: '1ms' } });
  const client = await lab.connect();
  client.send(GET);
  for (const attempt of [1, 2]) {
    await advanceUntil(lab.clock, 10, () => lab.origin.connections.length === attempt);
    const connection = await lab.origin.connection();
    await connection.request();
    connection.send(`HTTP/1.1 503 Busy\r\nX-Attempt: ${attempt}\r\nContent-Length: 0\r\n\r\n`);
  }
  assert.match(await client.take('\r\n\r\n'), /X-Attempt: 2/);
});

test('a POST is not made again unless the route says so', async (t) => {
  const lab = await openProxyLab(t, { retry: { attempts: 3, on: [503], backoff: '1ms' } });
  const client = await lab.connect();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
  const connection = await lab.origin.connection();
  await connection.request();
  connection.send('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n');
  assert.match(await client.take('\r\n\r\n'), /^HTTP\/1\.1 503 /);
});

test('a request whose body was begun is not made again', async (t) => {
  const lab = await openProxyLab(t, { retry: { attempts: 3, on: [503], backoff: '1ms', methods: 'any' } });
  const client = await lab.connect();
  client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx');
  const connection = await lab.origin.connection();
  await connection.take('\r\n\r\nx');
  connection.send('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n');
  assert.match(await client.take('\r\n\r\n'), /^HTTP\/1\.1 503 /);
});

test('a request that no connection could be made for goes to another target, whatever its method', async (t) => {
  const origin = await openOrigin(t);
  const lab = await openGatewayLab(t, {
    routes: {
      all: {
        match: { path: '/*' },
        upstream: 'app',
        retry: { attempts: 2, on: ['connect'], backoff: '1ms' },
      },
    },
    upstreams: { app: { targets: [{ url: 'http://127.0.0.1:1' }, { url: origin.url }] } },
  });
  const client = await lab.connect();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx');
  await advanceUntil(lab.clock, 10, () => origin.connections.length === 1);
  const connection = await origin.connection();
  await connection.take('\r\n\r\nx');
  connection.answer('there');
  await client.take('there');
});

test('retries are bounded to a share of the requests', async (t) => {
  const lab = await openProxyLab(t, { retry: { attempts: 2, on: [503], backoff: '1ms', budgetPercent: 10 } });
  const requests = 30;
  for (let i = 0; i < requests; i++) {
    const client = await lab.connect();
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await advanceUntil(lab.clock, 1, () => {
      for (const connection of lab.origin.connections) {
        if (connection.received.includes('\r\n\r\n')) {
          connection.received = '';
          connection.send('HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
        }
      }
      return client.isEnded;
    });
  }
  const retries = lab.metric('tidegate_gateway_retries_total{all}');
  // Ten within ten seconds are always allowed, however few the requests.
  assert.ok(retries >= 10 && retries < requests, String(retries));
  assert.equal(lab.origin.connections.length, requests + retries);
});

const BREAKER: NonNullable<RouteOptions['breaker']> = {
  failures: 2,
  percent: 50,
  within: '10s',
  openFor: '5s',
  trials: 1,
  statuses: [500],
};

test('a circuit opens after failures, asks nobody while it is open, and closes after a trial that succeeds', async (t) => {
  const lab = await openProxyLab(t, { breaker: BREAKER });
  const { origin } = lab;
  for (let i = 0; i < 2; i++) assert.match(await exchange(lab, origin, 500), /^HTTP\/1\.1 500 /);
  const refused = await lab.connect();
  refused.send(GET);
  const answer = await refused.take('}');
  assert.match(answer, /^HTTP\/1\.1 503 /);
  assert.match(answer, /\r\nretry-after: 5\r\n/i);
  assert.equal(problemCode(answer), 'circuit_open');
  assert.equal(origin.connections.length, 2);
  lab.clock.advance(5000);
  assert.match(await exchange(lab, origin, 200), /^HTTP\/1\.1 200 /);
  for (let i = 0; i < 3; i++) assert.match(await exchange(lab, origin, 200), /^HTTP\/1\.1 200 /);
});

test('statuses that do not count never open a circuit', async (t) => {
  const lab = await openProxyLab(t, { breaker: BREAKER });
  for (let i = 0; i < 5; i++) assert.match(await exchange(lab, lab.origin, 404), /^HTTP\/1\.1 404 /);
});

test('no more are under way than a bulkhead lets in; some wait for their turn, and those beyond are refused', async (t) => {
  const lab = await openProxyLab(t, { bulkhead: { concurrent: 1, queue: 1, wait: '2s' } });
  const [first, second, third] = [await lab.connect(), await lab.connect(), await lab.connect()];
  first.send(GET);
  const connection = await lab.origin.connection();
  await connection.request();
  second.send(GET);
  await new Promise(setImmediate);
  third.send(GET);
  assert.equal(problemCode(await third.take('}')), 'bulkhead_full');
  connection.answer('one');
  await first.take('one');
  await connection.request();
  connection.answer('two');
  await second.take('two');
});

test('one who waits too long for a place is refused', async (t) => {
  const lab = await openProxyLab(t, { bulkhead: { concurrent: 1, queue: 1, wait: '2s' } });
  const [first, second] = [await lab.connect(), await lab.connect()];
  first.send(GET);
  const connection = await lab.origin.connection();
  await connection.request();
  second.send(GET);
  await advanceUntil(lab.clock, 100, () => second.received.includes('}'));
  assert.equal(problemCode(second.received), 'bulkhead_full');
  assert.equal(lab.origin.connections.length, 1);
});

test('a deadline of the client is passed on, and kept', async (t) => {
  const lab = await openProxyLab(t, { deadline: { header: 'X-Request-Deadline' } });
  const client = await lab.connect();
  const deadline = new Date(lab.clock.nowMs() + 2000).toISOString();
  client.send(`GET / HTTP/1.1\r\nHost: a\r\nX-Request-Deadline: ${deadline}\r\n\r\n`);
  const connection = await lab.origin.connection();
  const head = await connection.request();
  assert.ok(head.toLowerCase().includes(`x-request-deadline: ${deadline.toLowerCase()}\r\n`), head);
  await advanceUntil(lab.clock, 100, () => client.received.includes('}'));
  assert.match(client.received, /^HTTP\/1\.1 504 /);
  assert.equal(problemCode(client.received), 'deadline_exceeded');
});

test('a request whose deadline is over is not passed on', async (t) => {
  const lab = await openProxyLab(t, { deadline: { header: 'X-Request-Deadline' } });
  const client = await lab.connect();
  client.send(
    `GET / HTTP/1.1\r\nHost: a\r\nX-Request-Deadline: ${new Date(lab.clock.nowMs() - 1).toISOString()}\r\n\r\n`,
  );
  assert.equal(problemCode(await client.take('}')), 'deadline_exceeded');
  assert.equal(lab.origin.connections.length, 0);
});

test('a fallback answers in place of an origin that fails, and of one that is not there', async (t) => {
  const lab = await openProxyLab(t, {
    fallback: {
      respond: { status: 200, headers: { 'content-type': 'text/plain' }, body: 'later' },
      statuses: [503],
    },
    timeouts: { firstByte: '1s' },
  });
  const client = await lab.connect();
  client.send(GET);
  const busy = await lab.origin.connection();
  await busy.request();
  busy.send('HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy');
  assert.doesNotMatch(await client.take('later'), /busy/);
  client.send(GET);
  const silent = await lab.origin.connection();
  await silent.request();
  await advanceUntil(lab.clock, 100, () => client.received.includes('later'));
  await silent.ended();
});

async function twoOrigins(
  t: TestContext,
): Promise<GatewayLab & { main: ScriptedOrigin; spare: ScriptedOrigin }> {
  const [main, spare] = [await openOrigin(t), await openOrigin(t)];
  const lab = await openGatewayLab(t, {
    routes: { all: { match: { path: '/*' }, upstream: 'main', fallback: { upstream: 'spare' } } },
    upstreams: { main: { targets: [{ url: main.url }] }, spare: { targets: [{ url: spare.url }] } },
  });
  return { ...lab, main, spare };
}

test('a fallback upstream is asked in place of one that fails', async (t) => {
  const { connect, main, spare } = await twoOrigins(t);
  const client = await connect();
  client.send(GET);
  const failing = await main.connection();
  await failing.request();
  failing.send('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n');
  const helping = await spare.connection();
  await helping.request();
  helping.answer('from the spare one');
  await client.take('from the spare one');
});

test('what a fallback upstream says is final', async (t) => {
  const { connect, main, spare } = await twoOrigins(t);
  const client = await connect();
  client.send(GET);
  const failing = await main.connection();
  await failing.request();
  failing.socket.destroy();
  const helping = await spare.connection();
  await helping.request();
  helping.send('HTTP/1.1 503 Busy too\r\nContent-Length: 0\r\n\r\n');
  assert.match(await client.take('\r\n\r\n'), /^HTTP\/1\.1 503 Busy too\r\n/);
});

test('a fixed answer asks nobody', async (t) => {
  const lab = await openGatewayLab(t, {
    routes: {
      fixed: {
        match: { path: '/robots.txt' },
        respond: { body: 'User-agent: *', headers: { 'content-type': 'text/plain' } },
      },
    },
  });
  const client = await lab.connect();
  client.send('GET /robots.txt HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.match(await client.take('User-agent: *'), /^HTTP\/1\.1 200 OK\r\n/);
  assert.equal(lab.metric('tidegate_gateway_requests_total{fixed,2xx}'), 1);
});

test('targets take turns, one that fails is left alone, and one that answers badly is not asked', async (t) => {
  const [good, bad] = [await openOrigin(t), await openOrigin(t)];
  const lab = await openGatewayLab(t, {
    routes: { all: { match: { path: '/*' }, upstream: 'app' } },
    upstreams: {
      app: {
        targets: [{ url: good.url }, { url: bad.url }],
        health: { path: '/health', interval: '1s', timeout: '500ms', unhealthyAfter: 1, healthyAfter: 1 },
      },
    },
  });
  const answerChecks = (origin: ScriptedOrigin, status: number): void => {
    for (const connection of origin.connections) {
      if (!connection.received.includes('\r\n\r\n')) continue;
      const isCheck = connection.received.startsWith('GET /health');
      connection.received = '';
      connection.send(`HTTP/1.1 ${isCheck ? status : 200} Whatever\r\nContent-Length: 0\r\n\r\n`);
    }
  };
  await advanceUntil(lab.clock, 50, () => {
    answerChecks(good, 200);
    answerChecks(bad, 500);
    return lab.logged.some(({ level, fields }) => level === 'warn' && fields.status === 500);
  });
  const before = bad.connections.length;
  const client = await lab.connect();
  for (let i = 0; i < 4; i++) {
    client.send(GET);
    await until(() => {
      answerChecks(good, 200);
      return client.received.includes('\r\n\r\n');
    });
    await client.take('\r\n\r\n');
  }
  assert.equal(bad.connections.length, before);
  await advanceUntil(lab.clock, 50, () => {
    answerChecks(good, 200);
    answerChecks(bad, 200);
    return lab.logged.some(({ level, fields }) => level === 'info' && fields.upstream === 'app');
  });
});
