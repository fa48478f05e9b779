import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { EventSource } from 'eventsource';
import { type ClientOptions, WebSocket as WsClient } from 'ws';
import { resolveLimits } from '../../../src/kernel/index.ts';
import { applyPatch } from '../../../src/wire/json-patch/index.ts';
import { type LiveServer, ScriptedOrigin, startLiveServer } from './live-server.ts';

const LIMITS = resolveLimits();

/** What a client has been told, and a way to wait for more of it. */
class Fold {
  value: unknown;
  id = '';
  readonly kinds: string[] = [];
  #wake: (() => void) | null = null;

  take(kind: string, id: string, data: unknown): void {
    this.kinds.push(kind);
    if (kind === 'patch') this.value = applyPatch(this.value, data, LIMITS);
    else if (kind !== 'problem') this.value = data;
    if (kind !== 'problem') this.id = id;
    this.#wake?.();
  }

  async until(done: () => boolean): Promise<void> {
    while (!done()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  untilValue(value: unknown): Promise<void> {
    return this.until(() => JSON.stringify(this.value) === JSON.stringify(value));
  }
}

function follow(server: LiveServer, path: string): { readonly fold: Fold; readonly source: EventSource } {
  const fold = new Fold();
  const source = new EventSource(server.url + path);
  for (const kind of ['snapshot', 'patch', 'value', 'problem']) {
    source.addEventListener(kind, ({ data, lastEventId }) => fold.take(kind, lastEventId, JSON.parse(data)));
  }
  return { fold, source };
}

async function connect(
  server: LiveServer,
  path: string,
  options: ClientOptions = {},
): Promise<{ readonly fold: Fold; readonly socket: WsClient }> {
  const fold = new Fold();
  const socket = new WsClient(`ws://127.0.0.1:${server.port}${path}`, options);
  socket.on('message', (text) => {
    const { type, id, value, patch, problem } = JSON.parse(String(text));
    fold.take(type, id, value ?? patch ?? problem);
  });
  await once(socket, 'open');
  return { fold, socket };
}

describe('A live route, to clients that others wrote', () => {
  const origin = new ScriptedOrigin();
  let server: LiveServer;
  before(async () => {
    server = await startLiveServer('patch', origin);
  });
  after(() => server.drain());

  /** Resolves after so many more polls of a target. */
  async function untilPolls(count: number, target: string): Promise<void> {
    const before = origin.polls(target);
    while (origin.polls(target) < before + count) await setImmediate();
  }

  it('is an event stream to eventsource and a WebSocket to ws, with the same in both', async () => {
    origin.value = { n: 1, list: ['a'] };
    const { fold: streamed, source } = follow(server, '/things');
    const { fold: messages, socket } = await connect(server, '/things');
    await Promise.all([streamed, messages].map((fold) => fold.untilValue(origin.value)));
    origin.value = { n: 2, list: ['a'], text: 'größe\r\n' };
    await Promise.all([streamed, messages].map((fold) => fold.untilValue(origin.value)));
    assert.deepEqual([streamed.kinds, messages.kinds], Array(2).fill(['snapshot', 'patch']));
    assert.equal(streamed.id, messages.id);
    origin.status = 503;
    await Promise.all([streamed, messages].map((fold) => fold.until(() => fold.kinds.length === 3)));
    assert.deepEqual([streamed.kinds[2], messages.kinds[2]], ['problem', 'problem']);
    origin.status = 200;
    await Promise.all([streamed, messages].map((fold) => fold.until(() => fold.kinds.length === 4)));
    assert.deepEqual([streamed.kinds[3], messages.kinds[3]], ['patch', 'patch']);
    assert.deepEqual(streamed.value, origin.value);
    source.close();
    socket.close();
    await once(socket, 'close');
  });

  it('answers a WebSocket that could have no value with the status of the origin', async () => {
    origin.status = 404;
    const socket = new WsClient(`ws://127.0.0.1:${server.port}/gone`);
    socket.on('error', () => {});
    const [, response] = await once(socket, 'unexpected-response');
    assert.equal(response.statusCode, 404);
    response.resume();
    origin.status = 200;
  });

  it('answers long-polls by tag, from a plain answer on', async () => {
    origin.value = { n: 1 };
    const plain = await fetch(`${server.url}/polled`);
    assert.match(
      plain.headers.get('link') ?? '',
      /<\/polled>; rel="value-wait", .*type="text\/event-stream"/,
    );
    assert.equal(plain.headers.get('liveresource-property'), 'wait');
    const first = await fetch(`${server.url}/polled`, { headers: { prefer: 'wait=20' } });
    assert.deepEqual(await first.json(), { n: 1 });
    const etag = first.headers.get('etag') ?? '';
    const headers = { prefer: 'wait=20', 'if-none-match': etag };
    const waiting = fetch(`${server.url}/polled`, { headers });
    const patched = fetch(`${server.url}/polled`, {
      headers: { ...headers, accept: 'application/json-patch+json' },
    });
    await untilPolls(3, '/polled');
    origin.value = { n: 2 };
    assert.deepEqual(await (await waiting).json(), { n: 2 });
    assert.deepEqual(await (await patched).json(), [{ op: 'replace', path: '/n', value: 2 }]);
    const over = await fetch(`${server.url}/polled`, {
      headers: { prefer: 'wait=0', 'if-none-match': (await waiting).headers.get('etag') ?? '' },
    });
    assert.equal(over.status, 304);
  });

  it('lets a WebSocket that is not read miss versions, and brings it to the last one when it is', async () => {
    const large = (n: number) => ({ n, text: String(n % 10).repeat(500_000) });
    origin.value = large(0);
    const { socket, fold } = await connect(server, '/large');
    await fold.untilValue(large(0));
    socket.pause();
    // More than the buffers of both kernels' sockets hold together.
    for (let n = 1; n <= 60; n++) {
      origin.value = large(n);
      await untilPolls(2, '/large');
    }
    socket.resume();
    await fold.untilValue(large(60));
    assert.ok(fold.kinds.length < 60, String(fold.kinds.length));
    socket.close();
    await once(socket, 'close');
  });

  it('asks the origin for nobody once all have left', async () => {
    const { source, fold } = follow(server, '/left');
    const { socket, fold: other } = await connect(server, '/stays');
    await Promise.all([fold, other].map((one) => one.untilValue(origin.value)));
    await untilPolls(3, '/left');
    source.close();
    // Polls of another value tell that time passes.
    let before = Number.NaN;
    while (before !== origin.polls('/left')) {
      before = origin.polls('/left');
      await untilPolls(20, '/stays');
    }
    socket.close();
    await once(socket, 'close');
  });
});

describe('A client of a live route whose server is restarted', () => {
  it('goes on from the id that it has', async () => {
    const origin = new ScriptedOrigin();
    origin.value = { n: 1 };
    const first = await startLiveServer('patch', origin);
    const { fold, source } = follow(first, '/things');
    await fold.untilValue({ n: 1 });
    const { port } = first;
    await first.drain();
    const second = await startLiveServer('patch', origin, port);
    await new Promise((resolve) => source.addEventListener('open', resolve, { once: true }));
    origin.value = { n: 2 };
    await fold.untilValue({ n: 2 });
    assert.deepEqual(fold.kinds, ['snapshot', 'patch'], 'what it had was not sent again');
    source.close();
    await second.drain();
  });
});
