import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { Hub } from '../../src/channels/index.ts';
import { noMetrics, resolveLimits, silentLogger, systemClock } from '../../src/kernel/index.ts';
import { LaggingLog } from '../support/lagging-log.ts';
import { type EdgeServer, startEdgeServer } from './edge-server.ts';
import { get, post } from './requests.ts';

/*
 * Two processes of a server: what the first has acknowledged, the second has not heard of before it asks.
 */

/** Answered in the next turn. */
class AnsweredLog extends LaggingLog {
  override reach(done: () => void): void {
    super.reach(done);
    setImmediate(() => this.answer());
  }
}

let owner: EdgeServer;
let worker: EdgeServer;
let workerHub: Hub;
let cursor: string;

before(async () => {
  owner = await startEdgeServer();
});
after(() => owner.close());

beforeEach(async () => {
  const common = { clock: systemClock, logger: silentLogger, metrics: noMetrics, limits: resolveLimits() };
  const log = new AnsweredLog(owner.log);
  workerHub = new Hub({ ...common, log, publisher: owner.hub, prefixes: new Map() });
  worker = await startEdgeServer({ beside: { ...owner, hub: workerHub } });
  ({ cursor } = (await post(owner, '/v1/channels/news', 'text', { 'content-type': 'text/plain' })).body as {
    cursor: string;
  });
});
afterEach(async () => {
  workerHub.drain();
  workerHub.close();
  await worker.close();
});

/** What a stream begins with, up to the cursor in its head. */
async function beginning(path: string, headers: Record<string, string>): Promise<readonly unknown[]> {
  const aborted = new AbortController();
  const response = await fetch(worker.url + path, { headers, signal: aborted.signal });
  const begun = [response.status, response.headers.get('tidegate-cursor')];
  aborted.abort();
  return begun;
}

for (const [what, path, accept] of [
  ['an event stream', '/v1/channels/news', 'text/event-stream'],
  ['an event stream of several channels', '/v1/sse?channel=news', 'text/event-stream'],
  ['a stream of lines', '/v1/channels/news', 'application/x-ndjson'],
] as const) {
  test(`${what} goes on from a cursor that another process has just given out`, async () => {
    assert.deepEqual(await beginning(path, { accept, 'last-event-id': cursor }), [200, cursor]);
    const joint = path.includes('?') ? '&' : '?';
    assert.deepEqual(await beginning(`${path}${joint}from=${cursor}`, { accept }), [200, cursor]);
  });
}

test('a poll goes on from a cursor that another process has just given out', async () => {
  const { body } = await get(worker, `/v1/channels/news?wait=0.01&from=${cursor}`, {
    accept: 'application/json',
  });
  assert.deepEqual(body, { messages: [], next: cursor });
});

test('a poll that does not wait has what was acknowledged', async () => {
  const { body } = await get(worker, '/v1/channels/news?wait=0&from=-1', { accept: 'application/json' });
  assert.equal(body.next, cursor);
  assert.equal((body.messages as unknown[]).length, 1);
});

test('a page of history has what was acknowledged', async () => {
  const { body } = await get(worker, '/v1/history/news?from=-1');
  assert.equal(body.next, cursor);
  assert.equal((body.messages as unknown[]).length, 1);
});

test('a WebSocket goes on from a cursor that another process has just given out', async () => {
  const url = `${worker.url.replace('http', 'ws')}/v1/channels/news?from=${cursor}`;
  const socket = new WebSocket(url);
  const first = new Promise((resolve) => {
    socket.onmessage = ({ data }) => resolve(data);
    // Bare messages have no other way to tell of a gap.
    socket.onclose = ({ code }) => resolve(code);
  });
  await new Promise((resolve) => {
    socket.onopen = resolve;
  });
  await post(worker, '/v1/channels/news', 'next', { 'content-type': 'text/plain' });
  workerHub.reach(
    ['news'],
    () => 'everything',
    () => {},
  );
  assert.equal(await first, 'next');
  socket.close();
});
