import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { CachePurger, WantedPurge } from '../../../src/edges/publish/port.ts';
import { systemClock, TidegateError } from '../../../src/kernel/index.ts';
import { keyOf, testGate } from '../../access/access-fixture.ts';
import { until } from '../../listeners/lab.ts';
import { type EdgeServer, startEdgeServer } from '../edge-server.ts';
import { type Answer, assertProblem, post } from '../requests.ts';

const URL_FIELD = { 'tidegate-purge': 'url=https://a.example/b' };

/** What was purged, by whom; and how the next purge ends. */
const purges: { readonly wanted: readonly WantedPurge[]; readonly credential: string }[] = [];
let purge: Parameters<CachePurger>[2] extends (error: infer Reason) => void
  ? (done: (error: Reason) => void) => void
  : never;
let server: EdgeServer;

before(async () => {
  server = await startEdgeServer({
    access: (channels) =>
      testGate({
        channels,
        clock: systemClock,
        keys: {
          both: keyOf('both', { 'news/#': ['publish', 'purge'], '#': ['history'] }),
          publisher: keyOf('publisher', { '#': ['publish'] }),
          purger: keyOf('purger', { nothing: ['purge'] }),
        },
      }),
    purge(wanted, credential, done) {
      purges.push({ wanted, credential });
      purge(done);
    },
  });
});
beforeEach(() => {
  purges.length = 0;
  purge = (done) => done(null);
});
after(() => server.close());

let last = 0;
/** A channel that nobody has used. */
const channelOf = (): string => `news/${++last}`;

const publish = (
  path: string,
  body: string,
  headers: Record<string, string>,
  key = 'both',
): Promise<Answer> => post(server, path, body, { authorization: `Bearer ${key}`, ...headers });

const dataOf = async (channel: string): Promise<unknown[]> => {
  const response = await fetch(`${server.url}/v1/history/${channel}`, {
    headers: { authorization: 'Bearer both' },
  });
  const { messages } = (await response.json()) as { messages: { data: unknown }[] };
  return messages.map(({ data }) => data);
};

test('nothing is stored before the purge has come to its end', async () => {
  const channel = channelOf();
  let done: (error: null) => void = () => {};
  purge = (settle) => {
    done = settle;
  };
  const answered = publish(`/v1/channels/${channel}`, 'x', URL_FIELD);
  await until(() => purges.length === 1);
  assert.deepEqual(purges, [{ wanted: [{ url: 'https://a.example/b' }], credential: 'key:both' }]);
  assert.deepEqual(await dataOf(channel), []);
  done(null);
  const { status, body } = await answered;
  assert.deepEqual([status, body.channel, body.duplicate], [200, channel, false]);
  assert.deepEqual(await dataOf(channel), ['x']);
});

test('a purge that is refused is the answer, with the time to try again, and nothing is stored', async () => {
  const channel = channelOf();
  purge = (done) => done(new TidegateError('purge_rate_exceeded', '', { retryAfterMs: 1500 }));
  const batch = JSON.stringify([{ channel, data: 1 }]);
  for (const answer of [
    await publish(`/v1/channels/${channel}`, 'x', URL_FIELD),
    await publish('/v1/publish', batch, { ...URL_FIELD, 'content-type': 'application/json' }),
  ]) {
    assertProblem(answer, 429, 'purge_rate_exceeded');
    assert.equal(answer.headers.get('retry-after'), '2');
  }
  assert.deepEqual(await dataOf(channel), []);
});

test('every form of one event, and a batch, can purge first', async () => {
  const channel = channelOf();
  const event = { specversion: '1.0', id: '1', source: '/s', type: 't', data: 'structured' };
  const field = { 'tidegate-purge': 'surrogate-key=one, surrogate-key=two' };
  const json = (value: unknown): string => JSON.stringify(value);
  for (const [path, body, headers] of [
    [`/v1/channels/${channel}`, 'plain', {}],
    [
      `/v1/channels/${channel}`,
      'binary',
      {
        'ce-specversion': '1.0',
        'ce-id': '2',
        'ce-source': '/s',
        'ce-type': 't',
        'content-type': 'text/plain',
      },
    ],
    [`/v1/channels/${channel}`, json(event), { 'content-type': 'application/cloudevents+json' }],
    [`/v1/publish`, json({ channel, data: 'entry' }), { 'content-type': 'application/json' }],
    [
      `/v1/publish`,
      json([{ ...event, id: '3', channel, data: 'batched' }]),
      { 'content-type': 'application/cloudevents-batch+json' },
    ],
  ] as const) {
    purges.length = 0;
    const answer = await publish(path, body, { ...headers, ...field });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.deepEqual(purges, [
      { wanted: [{ surrogateKey: 'one' }, { surrogateKey: 'two' }], credential: 'key:both' },
    ]);
  }
  assert.deepEqual(await dataOf(channel), ['plain', 'binary', 'structured', 'entry', 'batched']);
});

test('who may publish and not purge does neither, and no more does who may purge and not publish', async () => {
  const channel = channelOf();
  assertProblem(await publish(`/v1/channels/${channel}`, 'x', URL_FIELD, 'publisher'), 403, 'access_denied');
  const anonymous = await post(server, `/v1/channels/${channel}`, 'x', URL_FIELD);
  assertProblem(anonymous, 401, 'credential_missing');
  assert.deepEqual(purges, []);
  assertProblem(await publish(`/v1/channels/${channel}`, 'x', URL_FIELD, 'purger'), 403, 'access_denied');
  assert.deepEqual(await dataOf(channel), []);
  // Without the field, nobody is asked for the permission.
  assert.equal((await publish(`/v1/channels/${channel}`, 'x', {}, 'publisher')).status, 200);
});

test('what cannot be published, or read, purges nothing', async () => {
  const channel = channelOf();
  const json = { ...URL_FIELD, 'content-type': 'application/json' };
  assertProblem(await publish(`/v1/channels/${channel}`, '{', json), 400, 'json_malformed');
  assertProblem(await publish('/v1/publish', '[{', json), 400, 'json_malformed');
  const unreadable = { 'tidegate-purge': 'everything' };
  assertProblem(await publish(`/v1/channels/${channel}`, 'x', unreadable), 400, 'purge_invalid');
  assert.deepEqual(purges, []);
  assert.deepEqual(await dataOf(channel), []);
});

test('a stream of events cannot purge', async () => {
  const channel = channelOf();
  const headers = { ...URL_FIELD, 'content-type': 'application/x-ndjson' };
  const answer = await publish('/v1/publish', `${JSON.stringify({ channel, data: 1 })}\n`, headers);
  assertProblem(answer, 400, 'purge_invalid');
  assert.deepEqual(purges, []);
  assert.deepEqual(await dataOf(channel), []);
});
