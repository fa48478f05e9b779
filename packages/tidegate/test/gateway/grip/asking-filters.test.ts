import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import type { Limits } from '../../../src/kernel/index.ts';
import { type RawClient, until } from '../../listeners/lab.ts';
import { chunks, comes, type GripLab, openGripLab, response } from './lab.ts';

// The filters http-check and http-modify, which origins answer.

/** A request for a filter, that a test answers. */
interface Question {
  readonly request: IncomingMessage;
  readonly body: string;
  readonly response: ServerResponse;
}

interface Stage extends GripLab {
  readonly questions: Question[];
  /** Answers from now on what comes; null to leave it to the test. */
  decide: ((question: Question) => void) | null;
  /** The next question that was not asked for yet. */
  question(): Promise<Question>;
  failures(outcome: string): number;
}

const item = (content: string, others: Record<string, unknown> = {}) => ({
  channel: 'news',
  'http-stream': { content },
  ...others,
});

/** An origin whose clients are all held like this, but at paths that begin with /filter, where filters are asked for. */
async function open(
  t: TestContext,
  fields: Record<string, string | string[]> = {},
  limits: Partial<Limits> = {},
): Promise<Stage> {
  const lab = await openGripLab(t, limits);
  const questions: Question[] = [];
  let taken = 0;
  const stage: Stage = {
    ...lab,
    questions,
    decide: null,
    async question() {
      const index = taken++;
      await until(
        () => questions.length > index,
        () => `question ${index}`,
      );
      return questions[index];
    },
    failures: (outcome) => lab.metric(`tidegate_grip_filter_requests_total{${outcome}}`),
  };
  lab.answers((request, answer) => {
    if (request.url?.startsWith('/filter') !== true) {
      answer.writeHead(200, {
        'Grip-Hold': 'stream',
        'Grip-Channel': 'news; filter=http-check',
        'Grip-Set-Meta': 'user="ann", url="/filter?user=ann"',
        ...fields,
      });
      answer.end('held ');
      return;
    }
    let body = '';
    request.on('data', (slice) => {
      body += slice;
    });
    request.on('end', () => {
      const question = { request, body, response: answer };
      questions.push(question);
      stage.decide?.(question);
    });
  });
  return stage;
}

const MODIFIES = { 'Grip-Channel': 'news; filter=http-modify' };

test('http-check asks the origin whether an item is for a client', async (t) => {
  const stage = await open(t, { 'Grip-Channel': 'news; prev-id=0; filter=http-check' });
  await stage.items(item('nothing', { id: '0' }));
  stage.decide = ({ request, response: answer }) => {
    const drops = request.headers['pub-meta']?.includes('"secret":"yes"') === true;
    answer.writeHead(200, drops ? { Action: 'drop' } : {}).end('is of no interest');
  };
  const client = await stage.get();
  await stage.subscribed('news');
  await stage.items(item('one ', { id: '1', meta: { secret: 'no', 'ü\u007f': '"' } }));
  await stage.items(item('two ', { id: '2', meta: { secret: 'yes' } }), item('three ', { id: '3' }));
  await comes(client, 'held one three ');
  const [first, , third] = stage.questions;
  assert.deepEqual([first.request.method, first.request.url, first.body], ['POST', '/filter?user=ann', '']);
  const { headers } = first.request;
  assert.equal(headers['grip-feature'], 'link:next');
  assert.equal(headers.host, stage.authority);
  const meta = (name: string): unknown =>
    JSON.parse(Buffer.from(String(headers[name]), 'latin1').toString('utf8'));
  assert.deepEqual(meta('sub-meta'), { user: 'ann', url: '/filter?user=ann' });
  assert.deepEqual(meta('pub-meta'), { secret: 'no', 'ü\u007f': '"' });
  assert.deepEqual(first.request.headersDistinct['grip-last'], ['news; last-id=1']);
  assert.equal(third.request.headers['pub-meta'], '{}');
  assert.deepEqual([stage.failures('answered'), stage.failures('dropped')], [2, 1]);
  assert.equal(stage.metric('tidegate_grip_filtered_total{skipped}'), 1);
});

test('http-modify sends the item to the origin, which lets it pass, replaces or drops it', async (t) => {
  const stage = await open(t, MODIFIES);
  stage.decide = ({ body, response: answer }) => {
    if (body === 'kept ') answer.writeHead(204).end();
    else if (body === 'dropped ') answer.writeHead(200, { Action: 'drop' }).end('x');
    else answer.writeHead(200).end(`<${body}>`);
  };
  const client = await stage.get();
  await stage.subscribed('news');
  await stage.items(item('kept '), item('dropped '), item('changed'), item('kept '));
  await comes(client, 'held kept <changed>kept ');
  const forFilter = { content: 'for filters ', 'content-filters': ['http-modify'] };
  await stage.items(item('', { 'http-stream': { ...forFilter, 'content-filters': ['var-subst'] } }));
  await stage.items(item('', { 'http-stream': forFilter }));
  await comes(client, 'held kept <changed>kept <for filters >');
  assert.equal(stage.questions.length, 5);
});

test('filters apply one after the other, those that ask among them', async (t) => {
  const filters = 'filter=skip-self; filter=http-modify; filter=var-subst';
  const stage = await open(t, { 'Grip-Channel': `news; ${filters}` });
  stage.decide = ({ body, response: answer }) => answer.writeHead(200).end(`${body}%(user)s`);
  const client = await stage.get();
  await stage.subscribed('news');
  const meta = { sender: 'ann' };
  const written = { content: 'for %% ', 'content-filters': ['http-modify', 'var-subst'] };
  await stage.items(item('own ', { meta }), item('', { 'http-stream': written }));
  await comes(client, 'held for % ann');
  assert.equal(stage.questions.length, 1);
});

test('items reach a client in their order, however long the origin thinks, and one at a time is asked about', async (t) => {
  const stage = await open(t, { 'Grip-Channel': ['news; filter=http-check', 'plain'] });
  const client = await stage.get();
  await stage.subscribed('plain');
  await stage.items(item('one '), item('two '));
  const first = await stage.question();
  await stage.items(item('plain ', { channel: 'plain' }), item('three '));
  await stage.items({ channel: 'news', 'http-stream': { action: 'close' } });
  assert.equal(stage.questions.length, 1);
  await comes(client, 'held ');
  first.response.end();
  for (let count = 2; count <= 3; count++) (await stage.question()).response.end();
  await comes(client, 'held one two plain three <end>');
});

test('what a client is owed waits in the log, and not in memory', async (t) => {
  const stage = await open(t, {}, { flushBytesMax: 1024 });
  const client = await stage.get();
  await stage.subscribed('news');
  const contents = Array.from({ length: 50 }, (_, index) => `${index}${'.'.repeat(300)} `);
  await stage.items(...contents.map((content) => item(content)));
  const first = await stage.question();
  stage.decide = ({ response: answer }) => answer.end();
  first.response.end();
  await comes(client, `held ${contents.join('')}`);
});

test('what an origin does not answer for is kept from the client, and the stream goes on', async (t) => {
  const stage = await open(t, {}, { messageBytesMax: 1024, gripFilterTimeoutMs: 1000 });
  const client = await stage.get();
  await stage.subscribed('news');
  const bad: ((question: Question) => void)[] = [
    ({ response: answer }) => answer.writeHead(500).end(),
    ({ response: answer }) => answer.writeHead(302, { Location: '/' }).end(),
    ({ request }) => request.socket.destroy(),
    ({ response: answer }) =>
      answer.writeHead(200, { 'Content-Length': 9 }).write('half', () => answer.destroy()),
    ({ response: answer }) => answer.end('x'.repeat(1025)),
  ];
  for (const [index, decide] of bad.entries()) {
    stage.decide = decide;
    await stage.items(item(`bad ${index} `));
    await until(() => stage.failures('failed') === index + 1);
  }
  stage.decide = null;
  await stage.items(item('late '));
  const late = await stage.question();
  assert.ok(late !== undefined);
  await until(() => {
    stage.clock.advance(100);
    return stage.failures('failed') === bad.length + 1;
  });
  stage.decide = ({ response: answer }) => answer.end();
  await stage.items(item('good '));
  await comes(client, 'held good ');
  assert.equal(stage.metric('tidegate_grip_filtered_total{failed}'), bad.length + 1);
});

test('a filter asks nobody but the origin of its route', async (t) => {
  for (const meta of [
    'user="ann"',
    'url=""',
    'url="http://10.0.0.1/filter"',
    'url="//other.example/filter"',
    'url="file:///etc/passwd"',
    `url="/filter", long="${'x'.repeat(100)}"`,
  ]) {
    const stage = await open(t, { 'Grip-Set-Meta': meta }, { gripFilterFieldBytesMax: 80 });
    const client = await stage.get();
    await stage.subscribed('news');
    await stage.items(item('one '));
    await until(() => stage.failures('refused') === 1);
    await stage.items({ channel: 'news', 'http-stream': { action: 'close' } });
    await comes(client, 'held <end>');
    assert.equal(stage.questions.length, 0, meta);
  }
  const own = await open(t, { 'Grip-Set-Meta': 'url="http://public.example/filter"' });
  await own.get();
  await own.subscribed('news');
  await own.items(item('one '));
  await own.question();
});

test('so many requests are made within a second, and so many wait; the items of others are kept from them', async (t) => {
  const stage = await open(t, {}, { gripFilterRequestsPerSecondMax: 2, gripFilterQueueMax: 1 });
  const clients: RawClient[] = [];
  for (let count = 1; count <= 4; count++) {
    clients.push(await stage.get());
    await stage.subscribed('news', count);
  }
  stage.decide = ({ response: answer }) => answer.end();
  await stage.items(item('one '));
  await until(() => stage.failures('answered') === 2);
  assert.equal(stage.failures('overloaded'), 1);
  stage.clock.advance(500);
  await until(() => stage.failures('answered') === 3);
  await until(() => clients.filter((client) => chunks(client) === 'held one ').length === 3);
});

test('a held response is answered with the first item that the origin lets pass, as it makes it', async (t) => {
  const stage = await open(t, { ...MODIFIES, 'Grip-Hold': 'response' });
  stage.decide = ({ body, response: answer }) => {
    if (body === 'no') answer.writeHead(200, { Action: 'drop' }).end();
    else answer.writeHead(200).end(`<${body}>`);
  };
  const client = await stage.get();
  await stage.subscribed('news');
  const answers = (body: string) => ({ channel: 'news', 'http-response': { code: 201, body } });
  await stage.items(answers('no'));
  await stage.items(answers('yes'), answers('too late'));
  const { head, body } = await response(client);
  assert.match(head, /^HTTP\/1\.1 201 /);
  assert.equal(body, '<yes>');
  assert.equal(stage.questions.length, 2);
});

test('a held response that times out while the origin thinks is answered with what is held', async (t) => {
  const stage = await open(t, { 'Grip-Hold': 'response', 'Grip-Timeout': '5' });
  const client = await stage.get();
  await stage.subscribed('news');
  await stage.items({ channel: 'news', 'http-response': { body: 'one' } });
  const asked = await stage.question();
  const gone = new Promise((resolve) => asked.response.once('close', resolve));
  await until(() => {
    stage.clock.advance(250);
    return client.received.includes('held');
  });
  await gone;
  assert.equal((await response(client)).body, 'held ');
});

test('the next link is fetched once what came before is settled', async (t) => {
  const stage = await open(t, { 'Grip-Link': '</next>; rel=next' });
  const client = await stage.get();
  await stage.subscribed('news');
  await stage.items(item('one '));
  const asked = await stage.question();
  stage.holds.recover();
  assert.deepEqual(
    stage.asked.map(({ url }) => url),
    ['/', '/filter?user=ann'],
  );
  asked.response.end();
  await comes(client, 'held one held ');
  assert.equal(stage.asked.at(-1)?.url, '/next');
});

test('a client that leaves takes what is asked for it with it', async (t) => {
  const stage = await open(t);
  const client = await stage.get();
  await stage.subscribed('news');
  await stage.items(item('one '), item('two '));
  const asked = await stage.question();
  const gone = new Promise((resolve) => asked.response.once('close', resolve));
  client.socket.destroy();
  await gone;
  assert.equal(stage.questions.length, 1);
  assert.equal(stage.failures('failed'), 0);
});
