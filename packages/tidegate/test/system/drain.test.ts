import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import WebSocket from 'ws';
import { ServerProcess } from '../support/server-process.ts';

test('SIGTERM finishes requests, tells long-lived clients to reconnect, and ends with code 0', {
  timeout: 30_000,
}, async () => {
  const server = await ServerProcess.start();
  try {
    const stream = await fetch(`${server.url}/v1/channels/chat`, {
      headers: { accept: 'text/event-stream' },
    });
    const poll = fetch(`${server.url}/v1/channels/chat?wait=20`, { headers: { accept: 'application/json' } });
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/channels/chat`);
    await once(socket, 'open');
    const closed = once(socket, 'close');
    const exit = server.stop();
    // A stream that ends cleanly: a cut one would make `text` fail.
    assert.match(await stream.text(), /^retry: \d+\n/);
    const [code] = await closed;
    assert.equal(code, 1012);
    const answer = await poll;
    assert.ok(answer.status === 200 || answer.status === 503, String(answer.status));
    assert.equal(await exit, 0);
    await assert.rejects(fetch(`${server.url}/v1/channels/chat`));
  } finally {
    await server.remove();
  }
});

test('readiness is refused while the server drains, and what was acknowledged is there after the restart', {
  timeout: 30_000,
}, async () => {
  const server = await ServerProcess.start();
  try {
    const response = await fetch(`${server.url}/v1/channels/chat`, { method: 'POST', body: 'kept' });
    assert.equal(response.status, 200);
    assert.equal(await server.stop(), 0);
    await server.start();
    const page = (await (await fetch(`${server.url}/v1/history/chat`)).json()) as {
      messages: { data: string }[];
    };
    assert.deepEqual(
      page.messages.map(({ data }) => data),
      ['kept'],
    );
  } finally {
    await server.remove();
  }
});
