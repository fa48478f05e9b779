import assert from 'node:assert/strict';
import test from 'node:test';
import { noMetrics, resolveLimits, silentLogger, systemClock } from '../../src/kernel/index.ts';
import { createAdminListener, createHttpListener, type Listener } from '../../src/listeners/index.ts';

const parts = { limits: resolveLimits(), clock: systemClock, logger: silentLogger, metrics: noMetrics };
const open = (host: string, port: number): Promise<Listener> =>
  createHttpListener({ ...parts, host, port }, (exchange) => exchange.respond(204, {}));

test('port 0 is a port that the system chooses', async () => {
  const listener = await open('127.0.0.1', 0);
  assert.equal(listener.host, '127.0.0.1');
  assert.ok(listener.port > 0);
  await listener.drain(0);
});

test('a port that is taken is refused with its address and the reason', async () => {
  const first = await open('127.0.0.1', 0);
  const detail = `127.0.0.1:${first.port}: another program uses it.`;
  await assert.rejects(open('127.0.0.1', first.port), { code: 'listen_failed', detail });
  const admin = createAdminListener({
    ...parts,
    host: '127.0.0.1',
    port: first.port,
    routes: [],
    authorize: null,
  });
  await assert.rejects(admin, { code: 'listen_failed', detail });
  await first.drain(0);
});

test('an address that the machine does not have is refused with the reason', async () => {
  await assert.rejects(open('192.0.2.1', 0), {
    code: 'listen_failed',
    detail: '192.0.2.1:0: this machine does not have the address.',
  });
  await assert.rejects(open('2001:db8::1', 0), { code: 'listen_failed', detail: /^\[2001:db8::1\]:0: / });
});
