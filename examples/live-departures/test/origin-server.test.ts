import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Board } from '../departures/index.ts';
import { type Origin, startOrigin } from '../origin-server.ts';

async function openOrigin(t: TestContext): Promise<{ readonly origin: Origin; minute: number }> {
  const state = { minute: 400 };
  const origin = await startOrigin({ port: 0, minute: () => state.minute, viewers: async () => 7 });
  t.after(() => origin.close());
  return Object.assign(state, { origin });
}

test('the API answers a board, and 304 to whoever has it', async (t) => {
  const state = await openOrigin(t);
  const url = `${state.origin.url}/api/departures?airport=ATL`;
  const first = await fetch(url);
  assert.equal(first.headers.get('content-type'), 'application/json');
  const board = (await first.json()) as Board;
  assert.deepEqual(board.airport, { code: 'ATL', city: 'Atlanta' });
  assert.equal(board.time, '06:40');
  const condition = { headers: { 'if-none-match': first.headers.get('etag') ?? '' } };
  assert.equal((await fetch(url, condition)).status, 304);
  state.minute++;
  assert.equal((await fetch(url, condition)).status, 200);
});

test('the API counts the requests for boards, and no others', async (t) => {
  const { origin } = await openOrigin(t);
  const figures = async (): Promise<unknown> => (await fetch(`${origin.url}/api/requests`)).json();
  assert.deepEqual(await figures(), { requests: 0, viewers: 7 });
  for (const airport of ['ORD', 'ORD', 'DFW']) {
    await (await fetch(`${origin.url}/api/departures?airport=${airport}`)).text();
  }
  assert.deepEqual(await figures(), { requests: 3, viewers: 7 });
});

test('the API knows of nothing but its airports and its page', async (t) => {
  const { origin } = await openOrigin(t);
  const status = async (path: string): Promise<number> => (await fetch(`${origin.url}${path}`)).status;
  assert.equal(await status('/'), 200);
  assert.equal(await status('/app.js'), 200);
  assert.equal(await status('/api/departures?airport=NYC'), 404);
  assert.equal(await status('/api/departures'), 404);
  assert.equal(await status('/origin.ts'), 404);
  assert.equal(await status('/%2e%2e/origin.ts'), 404);
  assert.equal(await status('/toString'), 404);
});
