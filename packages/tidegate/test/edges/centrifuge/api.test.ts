import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { PresenceRegistry } from '../../../src/channels/index.ts';
import type { ClientInfo } from '../../../src/edges/index.ts';
import { resolveLimits } from '../../../src/kernel/index.ts';
import { type EdgeServer, startEdgeServer } from '../edge-server.ts';
import { newClient, TRANSPORTS } from './lab.ts';
import { TableAccess } from './table-access.ts';

let server: EdgeServer;
before(async () => {
  server = await startEdgeServer({
    access: (channels) =>
      new TableAccess(
        channels,
        { key: {}, reader: { allow: { news: ['history'] } }, alice: { user: 'alice' } },
        { allow: {} },
      ),
  });
});
after(() => server.close());

type Answer = { readonly result?: Record<string, unknown>; readonly error?: { readonly code: number } };

async function call(
  method: string,
  params: object,
  headers: Record<string, string> = { 'x-api-key': 'key' },
): Promise<Answer> {
  const response = await fetch(`${server.url}/api/${method}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(params),
  });
  return (await response.json()) as Answer;
}

describe("Centrifugo's server API", () => {
  it('publishes, tells where, and reads it back', async () => {
    const first = await call('publish', { channel: 'news', data: { a: 1 }, tags: { lang: 'en' } });
    const { epoch, offset } = first.result as { epoch: string; offset: number };
    assert.equal(offset, 1);
    const { result } = await call('history', { channel: 'news', limit: 10 });
    assert.deepEqual(result, {
      publications: [{ data: { a: 1 }, offset: 1, tags: { lang: 'en' } }],
      epoch,
      offset: 1,
    });
    assert.deepEqual(
      (await call('history', { channel: 'news', since: { epoch: 'x', offset: 1 } })).error?.code,
      112,
    );
  });

  it('publishes to many, and answers for each', async () => {
    const { result } = await call('broadcast', {
      channels: ['cast/a', '_reserved', 'cast/b'],
      b64data: 'AP8=',
    });
    const responses = result?.responses as Answer[];
    assert.deepEqual(
      responses.map(({ error }) => error?.code),
      [undefined, 103, undefined],
    );
  });

  it('stores a publish with an idempotency key once', async () => {
    const twice = [1, 2].map(() => call('publish', { channel: 'once', data: 1, idempotency_key: 'k' }));
    const [one, two] = await Promise.all(twice);
    assert.deepEqual(one, two);
    const { result } = await call('history', { channel: 'once', limit: -1 });
    assert.equal((result?.publications as unknown[] | undefined)?.length, 1);
  });

  it('sees, subscribes, unsubscribes and disconnects clients', async () => {
    const client = newClient(server.port, TRANSPORTS[0], { token: 'alice' });
    const told: string[] = [];
    const next = (event: 'subscribed' | 'unsubscribed'): Promise<void> =>
      new Promise((resolve) =>
        client.once(event, ({ channel }: { channel: string }) => {
          told.push(`${event} ${channel}`);
          resolve();
        }),
      );
    const disconnected = new Promise<number>((resolve) =>
      client.on('disconnected', ({ code }) => resolve(code)),
    );
    client.connect();
    await client.ready();
    const subscribed = next('subscribed');
    assert.deepEqual(await call('subscribe', { user: 'alice', channel: 'hers' }), { result: {} });
    await subscribed;
    assert.deepEqual(await call('presence_stats', { channel: 'hers' }), {
      result: { num_clients: 1, num_users: 1 },
    });
    const { result } = await call('presence', { channel: 'hers' });
    assert.deepEqual(
      Object.values(result?.presence as object).map(({ user }) => user),
      ['alice'],
    );
    assert.deepEqual((await call('channels', { pattern: 'h*' })).result, {
      channels: { hers: { num_clients: 1 } },
    });
    const nodes = (await call('info', {})).result?.nodes as { num_clients: number; version: string }[];
    assert.equal(nodes[0].version, '1.2.3');
    assert.equal(nodes[0].num_clients, 1);
    const unsubscribed = next('unsubscribed');
    await call('unsubscribe', { user: 'alice', channel: 'hers' });
    await unsubscribed;
    assert.deepEqual(told, ['subscribed hers', 'unsubscribed hers']);
    await call('disconnect', { user: 'alice' });
    assert.equal(await disconnected, 3503);
  });

  it('runs batches, in order', async () => {
    const commands = [
      { publish: { channel: 'batch', data: 1 } },
      { nothing: {} },
      { presence_stats: { channel: 'batch' } },
    ];
    const { result } = await call('batch', { commands });
    const replies = result?.replies as Record<string, { code?: number }>[];
    assert.deepEqual(
      replies.map((reply) => Object.keys(reply)[0]),
      ['publish', 'error', 'presence_stats'],
    );
    assert.equal(replies[1].error.code, 104);
  });

  it('carries out the next command of a batch once the one before has had its effect', async () => {
    const client = newClient(server.port, TRANSPORTS[0], { token: 'alice' });
    client.connect();
    await client.ready();
    const commands = [
      { subscribe: { user: 'alice', channel: 'batched' } },
      { presence_stats: { channel: 'batched' } },
      { unsubscribe: { user: 'alice', channel: 'batched' } },
      { presence_stats: { channel: 'batched' } },
    ];
    const { result } = await call('batch', { commands });
    assert.deepEqual(result?.replies, [
      { subscribe: {} },
      { presence_stats: { num_clients: 1, num_users: 1 } },
      { unsubscribe: {} },
      { presence_stats: { num_clients: 0, num_users: 0 } },
    ]);
    assert.deepEqual(await call('batch', { commands: [] }), { result: { replies: [] } });
    client.disconnect();
  });

  it('takes the name of the method in the body too, and several calls as lines', async () => {
    const post = async (body: string): Promise<readonly unknown[]> => {
      const response = await fetch(`${server.url}/api`, {
        method: 'POST',
        headers: { authorization: 'apikey key' },
        body,
      });
      assert.equal(response.status, 200);
      return (await response.text()).split('\n').map((line) => JSON.parse(line));
    };
    const publish = { method: 'publish', params: { channel: 'older', data: 1 } };
    const print = (value: unknown, indent = 0): string => JSON.stringify(value, null, indent);
    const [first] = (await post(print(publish, 2))) as Answer[];
    const offset = Number(first.result?.offset);
    const replies = await post(
      `${print({ id: 7, ...publish })}\n\n${print({ method: 'nothing' })}\n${print({ id: 9, method: 'presence_stats', params: { channel: 'older' } })}\n`,
    );
    assert.deepEqual(replies, [
      { id: 7, result: { ...first.result, offset: offset + 1 } },
      { error: { code: 104, message: 'method not found' } },
      { id: 9, result: { num_clients: 0, num_users: 0 } },
    ]);
    const badRequest = [{ error: { code: 107, message: 'bad request' } }];
    assert.deepEqual(await post('[]'), badRequest);
    assert.deepEqual(await post('\n'), badRequest);
    assert.deepEqual(await post('{"method":1}'), badRequest);
    const many = Array.from({ length: 10_001 }, () => '{}').join('\n');
    assert.deepEqual(await post(many), [{ error: { code: 106, message: 'limit exceeded' } }]);
    const status = async (body: string, headers: Record<string, string>): Promise<number> =>
      (await fetch(`${server.url}/api`, { method: 'POST', headers, body })).status;
    assert.equal(await status('{}\nnonsense', { 'x-api-key': 'key' }), 400);
    assert.equal(await status('{}', {}), 401);
  });

  it('takes the key in either header, and refuses others', async () => {
    assert.ok((await call('info', {}, { authorization: 'apikey key' })).result);
    assert.ok((await call('info', {}, { authorization: 'Bearer key' })).result);
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${server.url}/api/info`, { method: 'POST', headers, body: '{}' })).status;
    assert.equal(await status({}), 401);
    assert.equal(await status({ 'x-api-key': 'wrong' }), 401);
  });

  it('allows a key what it allows', async () => {
    const reader = { 'x-api-key': 'reader' };
    assert.ok((await call('history', { channel: 'news', limit: 1 }, reader)).result);
    for (const [method, params] of [
      ['publish', { channel: 'news', data: 1 }],
      ['history', { channel: 'other' }],
      ['presence', { channel: 'news' }],
      ['disconnect', { user: 'alice' }],
      ['channels', {}],
      ['info', {}],
    ] as const) {
      assert.equal((await call(method, params, reader)).error?.code, 103, method);
    }
  });

  it('says what it cannot do, and what it cannot read', async () => {
    assert.equal((await call('history_remove', { channel: 'news' })).error?.code, 108);
    assert.equal((await call('publish', { channel: '', data: 1 })).error?.code, 107);
    assert.equal((await call('publish', { channel: 'a' })).error?.code, 107);
    assert.equal((await call('broadcast', { channels: [] })).error?.code, 107);
    // limits.batchEventsMax and limits.batchBytesMax bound what one call stores.
    const many = Array.from({ length: 10_001 }, (_, index) => `b${index}`);
    assert.equal((await call('broadcast', { channels: many, data: 1 })).error?.code, 106);
    const large = 'x'.repeat(100_000);
    assert.equal((await call('broadcast', { channels: many.slice(0, 200), data: large })).error?.code, 106);
    assert.equal((await call('unknown', {})).error?.code, 104);
  });

  it('lists channels up to limits.centrifugeChannelsBytesMax, whatever the pattern', async (context) => {
    const presence = new PresenceRegistry<ClientInfo>(resolveLimits());
    const info = { client: 'c', user: '', connInfo: null, chanInfo: null };
    for (const channel of ['one', 'two']) presence.join(channel, info);
    const small = await startEdgeServer({ limits: { centrifugeChannelsBytesMax: 22 }, presence });
    context.after(() => small.close());
    const channels = async (): Promise<Answer> => {
      const response = await fetch(`${small.url}/api/channels`, { method: 'POST', body: '{"pattern":"o*"}' });
      return (await response.json()) as Answer;
    };
    assert.deepEqual((await channels()).result, { channels: { one: { num_clients: 1 } } });
    presence.join('3', info);
    assert.equal((await channels()).error?.code, 106);
  });
});
