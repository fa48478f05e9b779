import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import type { Gate } from '../../src/access/index.ts';
import type { KeyOptions, LimitOptions } from '../../src/access/options.ts';
import type { Channels } from '../../src/channels/index.ts';
import { type Line, type Metrics, noMetrics, systemClock } from '../../src/kernel/index.ts';
import { newClient, TRANSPORTS } from '../edges/centrifuge/lab.ts';
import { type EdgeServer, startEdgeServer } from '../edges/edge-server.ts';
import { keyOf, testGate } from './access-fixture.ts';
import { lineWithin } from './processes.ts';

/*
 * Limits as clients meet them. Rates are one in a second, and a second is longer than any of these tests waits between two messages of one call.
 */

const limited = (secret: string, limits: LimitOptions): KeyOptions => ({
  ...keyOf(secret, { '#': ['publish', 'subscribe', 'history'] }),
  limits,
});

const KEYS = {
  streams: limited('streams', { connectionsMax: 1 }),
  sockets: limited('sockets', { connectionsMax: 1 }),
  several: limited('several', { subscriptionsMax: 2 }),
  rate: limited('rate', { publishesPerSecondMax: 1 }),
  batch: limited('batch', { publishesPerSecondMax: 1 }),
  framed: limited('framed', { publishesPerSecondMax: 1 }),
  bare: limited('bare', { publishesPerSecondMax: 1 }),
  small: limited('small', { messageBytesMax: 4 }),
  centrifuge: limited('centrifuge', {
    connectionsMax: 1,
    subscriptionsMax: 1,
    publishesPerSecondMax: 1,
    messageBytesMax: 20,
  }),
  single: limited('single', {
    perConnection: { subscriptionsMax: 1, publishesPerSecondMax: 1 },
  }),
  slow: limited('slow', { bytesOutPerSecondMax: 20_000 }),
};

/** How often a subscriber was delayed. */
let delays = 0;
const metrics: Metrics = {
  ...noMetrics,
  counter: ({ name }, labels = []) => ({
    add(amount) {
      if (name === 'tidegate_limits_hit_total' && labels[0] === 'bytes_out') delays += amount;
    },
  }),
};

let server: EdgeServer;

/** Who counts: the process that the clients are connected to, or another one. */
const COUNTERS = {
  'counted in the same process': (channels: Channels) => [gateOf(channels, null)],
  'counted by the owner': (channels: Channels) => {
    const owner = gateOf(channels, null);
    const [ownersEnd, workersEnd] = lineWithin();
    owner.serve(ownersEnd);
    return [gateOf(channels, workersEnd), owner];
  },
} satisfies Record<string, (channels: Channels) => readonly Gate[]>;

function gateOf(channels: Channels, line: Line | null): Gate {
  return testGate({ channels, clock: systemClock, keys: KEYS, metrics, line });
}

const bearer = (credential: string): Record<string, string> => ({ authorization: `Bearer ${credential}` });

function subscribe(path: string, credential: string): Promise<Response> {
  return fetch(`${server.url}${path}`, { headers: { accept: 'text/event-stream', ...bearer(credential) } });
}

function publish(path: string, credential: string, body: string, type = 'text/plain'): Promise<Response> {
  const headers = { 'content-type': type, ...bearer(credential) };
  return fetch(`${server.url}${path}`, { method: 'POST', headers, body });
}

function socketOf(channel: string, credential: string): WebSocket {
  const url = `${server.url.replace('http', 'ws')}/v1/channels/${channel}`;
  return new WebSocket(url, { headers: bearer(credential) });
}

/** The code of a problem, with what a client needs to know of the answer. */
async function problemOf(
  response: Response,
): Promise<[status: number, code: string, retryAfter: string | null]> {
  const { code } = (await response.json()) as { code: string };
  return [response.status, code, response.headers.get('retry-after')];
}

for (const [where, gatesOver] of Object.entries(COUNTERS)) {
  describe(`With limits ${where},`, () => {
    let gates: readonly Gate[] = [];
    before(async () => {
      delays = 0;
      server = await startEdgeServer({
        access: (channels) => {
          gates = gatesOver(channels);
          return gates[0];
        },
      });
    });
    after(async () => {
      await server.close();
      for (const gate of gates) gate.close();
    });

    test('one stream too many is answered with 429, and may come once another has gone', async () => {
      const first = await subscribe('/v1/channels/a', 'streams');
      assert.equal(first.status, 200);
      const refused = await problemOf(await subscribe('/v1/channels/a', 'streams'));
      assert.deepEqual(refused, [429, 'quota_exceeded', '1']);
      await first.body?.cancel();
      for (;;) {
        const next = await subscribe('/v1/channels/a', 'streams');
        await next.body?.cancel();
        if (next.status === 200) break;
        assert.equal(next.status, 429);
      }
    });

    test('one WebSocket too many is refused before it is one', async () => {
      const first = socketOf('a', 'sockets');
      await once(first, 'open');
      const second = socketOf('a', 'sockets');
      const [, response] = await once(second, 'unexpected-response');
      assert.deepEqual([response.statusCode, response.headers['retry-after']], [429, '1']);
      response.resume();
      first.close();
    });

    test('the channels of one stream count each', async () => {
      const refused = await subscribe('/v1/sse?channel=a&channel=b&channel=c', 'several');
      assert.deepEqual(await problemOf(refused), [429, 'quota_exceeded', '1']);
      const two = await subscribe('/v1/sse?channel=a&channel=b', 'several');
      assert.equal(two.status, 200);
      assert.equal((await subscribe('/v1/channels/c', 'several')).status, 429);
      await two.body?.cancel();
    });

    test('a message above the rate is answered with 429 and Retry-After', async () => {
      const answers = await Promise.all([1, 2, 3].map((n) => publish('/v1/channels/a', 'rate', `${n}`)));
      const refused = answers.filter(({ status }) => status !== 200);
      assert.ok(refused.length > 0);
      for (const answer of refused) assert.deepEqual(await problemOf(answer), [429, 'rate_exceeded', '1']);
    });

    test('of a batch, each message above the rate says when to come again', async () => {
      const body = JSON.stringify([1, 2, 3].map((data) => ({ channel: 'a', data })));
      const answer = await publish('/v1/publish', 'batch', body, 'application/json');
      assert.equal(answer.status, 207);
      const { results } = (await answer.json()) as {
        results: { error?: { code: string; retryable: boolean; retryAfterMs: number } }[];
      };
      assert.deepEqual(
        results.map(({ error }) => error?.code),
        [undefined, 'rate_exceeded', 'rate_exceeded'],
      );
      const { retryable, retryAfterMs } = results[1].error ?? { retryable: false, retryAfterMs: 0 };
      assert.ok(retryable && retryAfterMs > 0 && retryAfterMs <= 1000);
    });

    test('a message that is too large for its key is answered with 413', async () => {
      assert.equal((await publish('/v1/channels/a', 'small', 'four')).status, 200);
      const [status, code] = await problemOf(await publish('/v1/channels/a', 'small', 'fiver'));
      assert.deepEqual([status, code], [413, 'body_too_large']);
    });

    test('a WebSocket with an envelope is told in a frame, and stays open', async () => {
      const socket = socketOf('framed?envelope=json', 'framed');
      await once(socket, 'open');
      const told: { error?: { code: string; retryAfterMs: number }; data?: string }[] = [];
      const both = new Promise<void>((resolve) => {
        socket.on('message', (message) => {
          told.push(JSON.parse(String(message)));
          if (told.length === 2) resolve();
        });
      });
      socket.send('first');
      socket.send('second');
      await both;
      const refusal = told.find(({ error }) => error !== undefined)?.error;
      assert.equal(refusal?.code, 'rate_exceeded');
      assert.ok(refusal.retryAfterMs > 0);
      assert.equal(told.find(({ error }) => error === undefined)?.data, 'first');
      assert.equal(socket.readyState, WebSocket.OPEN);
      socket.close();
    });

    test('a WebSocket of bare messages is closed with 4429', async () => {
      const socket = socketOf('bare', 'bare');
      await once(socket, 'open');
      socket.send('first');
      socket.send('second');
      const [code, reason] = await once(socket, 'close');
      assert.equal(code, 4429);
      assert.match(String(reason), /^rate_exceeded/);
    });

    test('each connection has limits of its own', async () => {
      const several = await subscribe('/v1/sse?channel=a&channel=b', 'single');
      assert.deepEqual(await problemOf(several), [429, 'quota_exceeded', '1']);
      const one = await subscribe('/v1/sse?channel=a', 'single');
      assert.equal(one.status, 200);
      await one.body?.cancel();
      for (let i = 0; i < 2; i++) {
        const socket = socketOf('single', 'single');
        await once(socket, 'open');
        socket.send('first');
        socket.send('second');
        assert.equal((await once(socket, 'close'))[0], 4429);
      }
      // The history has one message of each.
      const history = await fetch(`${server.url}/v1/history/single`, { headers: bearer('single') });
      assert.equal(((await history.json()) as { messages: unknown[] }).messages.length, 2);
    });

    test('a subscriber above its rate is sent everything, later', async () => {
      const response = await subscribe('/v1/channels/slow', 'slow');
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      // Each is more than a second's worth.
      const text = 'x'.repeat(21_000);
      for (let i = 0; i < 3; i++) {
        const sent = await publish('/v1/channels/slow', 'streams', `${text}${i}`);
        assert.equal(sent.status, 200);
      }
      let received = '';
      while (!received.includes(`${text}2`)) received += (await reader?.read())?.value ?? '';
      assert.ok(received.includes(`${text}0`) && received.includes(`${text}1`));
      assert.ok(delays > 0);
      await reader?.cancel();
    });

    for (const way of TRANSPORTS) {
      test(`each connection of the Centrifuge client has limits of its own, over ${way.name}`, async () => {
        const clients = [1, 2].map(() => newClient(server.port, way, { token: 'single' }));
        for (const client of clients) {
          client.connect();
          await client.ready();
          const first = client.newSubscription('a');
          first.subscribe();
          await first.ready();
          const second = client.newSubscription('b');
          const unsubscribed = new Promise<number>((resolve) => {
            second.on('unsubscribed', ({ code }) => resolve(code));
          });
          second.subscribe();
          assert.equal(await unsubscribed, 106);
        }
        for (const client of clients) {
          const gone = new Promise((resolve) => client.on('disconnected', resolve));
          client.disconnect();
          await gone;
        }
        while (server.subscriptions() > 0) await new Promise(setImmediate);
      });

      test(`the Centrifuge client learns of limits by its codes, over ${way.name}`, async () => {
        const data = (size: number): unknown => {
          const text = JSON.stringify('x'.repeat(size));
          return way.protocol === 'json' ? JSON.parse(text) : new TextEncoder().encode(text);
        };
        const client = newClient(server.port, way, { token: 'centrifuge' });
        client.connect();
        await client.ready();
        const other = newClient(server.port, way, { token: 'centrifuge' });
        const refused = new Promise<number>((resolve) => {
          other.on('disconnected', ({ code }) => resolve(code));
        });
        other.connect();
        assert.equal(await refused, 3504);
        const first = client.newSubscription('a');
        first.subscribe();
        await first.ready();
        const second = client.newSubscription('b');
        const unsubscribed = new Promise<number>((resolve) => {
          second.on('unsubscribed', ({ code }) => resolve(code));
        });
        second.subscribe();
        assert.equal(await unsubscribed, 106);
        await assert.rejects(client.publish('a', data(100)), { code: 106 });
        const results = await Promise.allSettled([1, 2, 3].map(() => client.publish('a', data(1))));
        const codes = results.map((result) => (result.status === 'rejected' ? result.reason.code : 0));
        assert.ok(codes.includes(111), `${codes}`);
        assert.ok(codes.every((code) => code === 0 || code === 111));
        const gone = new Promise((resolve) => client.on('disconnected', resolve));
        client.disconnect();
        await gone;
        // Until the server has seen it go, so that the next one may come.
        while (server.subscriptions() > 0) await new Promise(setImmediate);
      });
    }
  });
}
