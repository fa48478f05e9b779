import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import type { Limits } from '../../../src/kernel/index.ts';
import { type RawClient, until } from '../../listeners/lab.ts';
import { chunks, comes, type GripLab, openGripLab } from './lab.ts';

type Fields = Record<string, string>;

/** What the origin answers at each path. Without fields, there are no instructions. */
type Pages = Record<string, (request: IncomingMessage, response: ServerResponse) => void>;

const stream = (channel: string, next: string | null = null, others: Fields = {}): Fields => ({
  'Grip-Hold': 'stream',
  'Grip-Channel': channel,
  'Content-Type': 'text/plain',
  ...(next !== null && { 'Grip-Link': `<${next}>; rel=next` }),
  ...others,
});

const page =
  (body: string, fields: Fields = {}): Pages[string] =>
  (_, response) => {
    response.writeHead(200, fields).end(body);
  };

const item = (content: string, id?: string, channel = 'news') => ({
  channel,
  'http-stream': { content },
  ...(id !== undefined && { id }),
});

async function openPages(t: TestContext, pages: Pages, limits: Partial<Limits> = {}): Promise<GripLab> {
  const lab = await openGripLab(t, limits);
  lab.answers((request, response) => {
    const answer = pages[request.url ?? ''];
    if (answer === undefined) response.writeHead(404).end();
    else answer(request, response);
  });
  return lab;
}

/** Moves time on until something holds. */
async function inTime(lab: GripLab, condition: () => boolean): Promise<void> {
  await until(() => {
    if (condition()) return true;
    lab.clock.advance(250);
    return false;
  });
}

/** The requests after the first, as paths and what they say of the client. */
const links = (lab: GripLab): unknown[] => lab.asked.slice(1).map(({ url, lasts }) => [url, lasts]);

const ends = (client: RawClient, content: string): Promise<void> => comes(client, `${content}<end>`);

test('what is behind next links follows the body, until there is no link', async (t) => {
  const lab = await openPages(t, {
    '/a/1?x=1': page('one ', { 'Grip-Link': '<2?y=2>; rel=next' }),
    '/a/2?y=2': page('two ', { 'Grip-Link': '</b/3>; rel=next' }),
    '/b/3': page('three', {}),
  });
  const client = await lab.get('/a/1?x=1');
  await ends(client, 'one two three');
  assert.equal(lab.asked[1].headers['grip-feature'], 'link:next');
  assert.equal(lab.asked[1].headers.host, lab.authority);
});

test('a link may name the origin by its own host, or by that of the client', async (t) => {
  const pages: Pages = {
    '/2': page('two ', { 'Grip-Link': '<http://public.example/3>; rel=next' }),
    '/3': page('three'),
  };
  const lab = await openPages(t, pages);
  pages['/1'] = page('one ', { 'Grip-Link': `<http://${lab.authority}/2>; rel=next` });
  await ends(await lab.get('/1'), 'one two three');
});

test('a next link can lead to a hold, whose channels are followed from then on', async (t) => {
  const lab = await openPages(t, {
    '/': page('one ', { 'Grip-Link': '</2>; rel=next' }),
    '/2': page('two ', stream('news')),
  });
  const client = await lab.get();
  await lab.subscribed('news');
  await lab.items(item('three'));
  await comes(client, 'one two three');
});

test('links that do not end are followed gripLinkHopsMax times', async (t) => {
  const lab = await openPages(
    t,
    { '/': page('x', { 'Grip-Link': '</>; rel=next' }) },
    { gripLinkHopsMax: 3 },
  );
  const client = await lab.get();
  await client.ended();
  assert.equal(chunks(client), 'xxxx');
  assert.equal(lab.asked.length, 4);
});

test('without messages for its time-out, the next link is fetched again, with what the client has', async (t) => {
  const lab = await openPages(t, {
    '/': page('start ', stream('news; prev-id=0', '/next', { 'Grip-Link': '</next>; rel=next; timeout=30' })),
    '/next': page('fresh ', stream('other', '/next2')),
  });
  const client = await lab.get();
  await lab.subscribed('news');
  lab.clock.advance(25_000);
  await lab.items(item('a ', '1'));
  await comes(client, 'start a ');
  lab.clock.advance(20_000);
  assert.deepEqual(links(lab), []);
  lab.clock.advance(11_000);
  await comes(client, 'start a fresh ');
  assert.deepEqual(links(lab), [['/next', ['news; last-id=1']]]);
  await lab.subscribed('other');
  await lab.subscribed('news', 0);
  await lab.items(item('b', '2', 'other'));
  await comes(client, 'start a fresh b');
});

test('nothing is fetched just because somebody has come', async (t) => {
  const lab = await openPages(t, { '/': page('', stream('news', '/next')) });
  await lab.get();
  await lab.subscribed('news');
  lab.clock.advance(60_000);
  await lab.subscribed('news');
  assert.equal(lab.asked.length, 1);
});

test('what is published while the origin is asked comes behind its answer, once', async (t) => {
  const pages: Pages = { '/': page('start ', stream('news; prev-id=0', '/next')) };
  const lab = await openPages(t, pages);
  let finish = (): void => {};
  pages['/next'] = (_, response) => {
    response.writeHead(200, stream('news; prev-id=2', '/next')).write('up to 2 ');
    finish = () => response.end();
  };
  const client = await lab.get();
  await lab.subscribed('news');
  await lab.items(item('1 ', '1'));
  await comes(client, 'start 1 ');
  await lab.items({ channel: 'news', 'http-stream': { action: 'hint' } });
  await comes(client, 'start 1 up to 2 ');
  await lab.items(item('2 ', '2'), item('3 ', '3'));
  await comes(client, 'start 1 up to 2 ');
  finish();
  await comes(client, 'start 1 up to 2 3 ');
  await lab.items(item('4 ', '4'));
  await comes(client, 'start 1 up to 2 3 4 ');
  assert.deepEqual(links(lab), [['/next', ['news; last-id=1']]]);
});

test('channels that the answer names without a prev-id go on where they were', async (t) => {
  const pages: Pages = { '/': page('start ', stream('news', '/next')) };
  const lab = await openPages(t, pages);
  pages['/next'] = (_, response) => {
    void lab.items(item('a ', '1')).then(() => response.writeHead(200, stream('news', '/next')).end('more '));
  };
  const client = await lab.get();
  await lab.subscribed('news');
  await lab.items({ channel: 'news', 'http-stream': { action: 'hint' } });
  await comes(client, 'start more a ');
});

test('a client that has missed more than is remembered gets it from the next link', async (t) => {
  const lab = await openPages(
    t,
    {
      '/': page('start ', stream('news; prev-id=1', '/next')),
      '/next': page('2 3 4 ', stream('news; prev-id=4', '/next')),
    },
    { gripRecoveryMessagesMax: 2 },
  );
  await lab.items(item('1 ', '1'), item('2 ', '2'), item('3 ', '3'), item('4 ', '4'));
  const client = await lab.get();
  await comes(client, 'start 2 3 4 ');
  assert.deepEqual(links(lab), [['/next', ['news; last-id=1']]]);
  await lab.subscribed('news');
  await lab.items(item('5', '5'));
  await comes(client, 'start 2 3 4 5');
});

test('a client that has missed only what is remembered gets it without the origin', async (t) => {
  const lab = await openPages(t, { '/': page('start ', stream('news; prev-id=2', '/next')) });
  await lab.items(item('1 ', '1'), item('2 ', '2'), item('3 ', '3'));
  const client = await lab.get();
  await comes(client, 'start 3 ');
  await lab.items(item('4 ', '4'));
  await comes(client, 'start 3 4 ');
  assert.equal(lab.asked.length, 1);
});

test('streams go over to shared bytes once they have recovered, and lose nothing that comes then', async (t) => {
  const lab = await openPages(t, { '/': page('', stream('news; prev-id=1')) });
  await lab.items(item('1 ', '1'), item('2 ', '2'));
  const clients = await Promise.all([lab.get(), lab.get(), lab.get()]);
  let expected = '2 ';
  for (let id = 3; id < 40; id++) {
    expected += `${id} `;
    await lab.items(item(`${id} `, String(id)));
  }
  for (const client of clients) await comes(client, expected);
  await lab.subscribed('news', 3);
  assert.equal(lab.metric('tidegate_audiences'), 1);
});

test('without a next link, a stream whose client has missed something ends', async (t) => {
  const lab = await openPages(t, { '/': page('start ', stream('news; prev-id=0')) });
  await lab.items(item('1 ', '1'));
  await ends(await lab.get(), 'start ');
});

test('an origin that says that there is nothing newer is believed', async (t) => {
  const lab = await openPages(t, {
    '/': page('start ', stream('news; prev-id=0', '/next')),
    '/next': page('', stream('news; prev-id=0', '/next')),
  });
  await lab.items(item('1 ', '1'));
  const client = await lab.get();
  await lab.askedTimes(2);
  await lab.subscribed('news');
  await lab.items(item('2 ', '2'));
  await comes(client, 'start 2 ');
  assert.equal(lab.asked.length, 2);
});

test('a hint fetches once for all clients that are at the same place with the same link', async (t) => {
  const pages: Pages = {
    '/?a': page('', stream('news', '/next?a')),
    '/?b': page('', stream('news', '/next?b')),
  };
  const lab = await openPages(t, pages);
  for (const which of ['a', 'b']) {
    pages[`/next?${which}`] = (_, response) => {
      setImmediate(() => response.writeHead(200, stream('news', `/next?${which}`)).end(`${which} `));
    };
  }
  const clients = [await lab.get('/?a'), await lab.get('/?a'), await lab.get('/?b'), await lab.get('/?a')];
  await lab.subscribed('news', 4);
  await lab.items({ channel: 'news', 'http-stream': { action: 'hint' } });
  for (const [index, client] of clients.entries()) await comes(client, index === 2 ? 'b ' : 'a ');
  assert.deepEqual(
    lab.asked
      .slice(4)
      .map(({ url }) => url)
      .sort(),
    ['/next?a', '/next?b'],
  );
  assert.equal(lab.metric('tidegate_grip_links_total{shared}'), 2);
});

test('an answer that is too large to be kept for several is fetched by each', async (t) => {
  const large = 'x'.repeat(3000);
  const lab = await openPages(
    t,
    { '/': page('', stream('news', '/next')), '/next': page(large, stream('news', '/next')) },
    { gripInstructBytesMax: 1024 },
  );
  const clients = [await lab.get(), await lab.get(), await lab.get()];
  await lab.subscribed('news', 3);
  await lab.items({ channel: 'news', 'http-stream': { action: 'hint' } });
  for (const client of clients) await comes(client, large);
  assert.equal(lab.asked.length, 3 + 3);
});

test('no more than gripLinkFetchesMax links are fetched at a time', async (t) => {
  const lab = await openGripLab(t, { gripLinkFetchesMax: 2 });
  const open: (() => void)[] = [];
  lab.answers((request, response) => {
    const which = request.url?.slice(-1);
    if (request.url?.startsWith('/next')) open.push(() => response.writeHead(200, stream('news')).end('.'));
    else response.writeHead(200, stream('news', `/next${which}`)).end();
  });
  const clients: RawClient[] = [];
  for (let which = 0; which < 5; which++) clients.push(await lab.get(`/${which}`));
  await lab.subscribed('news', 5);
  lab.holds.recover();
  await until(() => open.length === 2);
  await lab.subscribed('news', 5);
  assert.equal(open.length, 2);
  for (let done = 0; done < 5; done++) {
    await until(() => open.length > done);
    open[done]();
  }
  for (const client of clients) await comes(client, '.');
});

test('a next link that fails is tried again, and the stream goes on meanwhile as if nothing was', async (t) => {
  let failures = 0;
  const lab = await openPages(t, {
    '/': page('start ', stream('news', '/next', { 'Grip-Keep-Alive': 't; timeout=2' })),
    '/next': (_, response) => {
      if (failures++ < 3) response.writeHead(503).end();
      else response.writeHead(200, stream('news', '/next')).end('back ');
    },
  });
  const client = await lab.get();
  await lab.subscribed('news');
  await lab.items({ channel: 'news', 'http-stream': { action: 'hint' } });
  await inTime(lab, () => chunks(client).includes('back '));
  assert.equal(failures, 4);
  assert.match(chunks(client), /^start t+back $/);
  assert.equal(lab.metric('tidegate_grip_links_total{retried}'), 3);
});

test('when it has failed gripLinkAttemptsMax times, a stream that can go on without it does', async (t) => {
  const lab = await openPages(
    t,
    {
      '/': page('start ', stream('news', '/next')),
      '/next': (_, response) => response.writeHead(500).end(),
    },
    { gripLinkAttemptsMax: 2 },
  );
  const client = await lab.get();
  await lab.subscribed('news');
  await lab.items({ channel: 'news', 'http-stream': { action: 'hint' } });
  await lab.items(item('meanwhile '));
  await inTime(lab, () => chunks(client) === 'start meanwhile ');
  assert.equal(lab.asked.length, 1 + 3);
});

test('a stream that cannot go on without its next link is cut off when that fails', async (t) => {
  const lab = await openPages(t, {
    '/': page('start ', { 'Grip-Link': '</none>; rel=next' }),
    '/missed': page('start ', stream('news; prev-id=0', '/none')),
  });
  await lab.items(item('1', '1'));
  for (const target of ['/', '/missed']) {
    const client = await lab.get(target);
    await client.ended();
    assert.equal(chunks(client), 'start ');
  }
  // What the origin answers with 404 it would answer again.
  assert.equal(lab.asked.length, 4);
});

test('after bytes of an answer were sent, it is not fetched again', async (t) => {
  const lab = await openPages(t, {
    '/': page('start ', stream('news', '/next')),
    '/next': (_, response) => {
      response.writeHead(200, stream('news', '/next')).write('begun ');
      setTimeout(() => response.destroy(), 5);
    },
  });
  const client = await lab.get();
  await lab.subscribed('news');
  await lab.items({ channel: 'news', 'http-stream': { action: 'hint' } });
  await client.ended();
  assert.equal(chunks(client), 'start begun ');
  assert.equal(lab.asked.length, 2);
});

test('answers to next links that cannot be followed cut the stream off', async (t) => {
  const invalid: Fields[] = [
    { 'Grip-Hold': 'response', 'Grip-Channel': 'news' },
    { 'Grip-Hold': 'forever' },
    stream('news', null, { 'Content-Encoding': 'gzip' }),
    stream('_own'),
    { 'Content-Type': 'application/grip-instruct' },
  ];
  for (const fields of invalid) {
    const lab = await openPages(t, {
      '/': page('start ', { 'Grip-Link': '</next>; rel=next' }),
      '/next': page('', fields),
    });
    const client = await lab.get();
    await client.ended();
    assert.equal(chunks(client), 'start ', JSON.stringify(fields));
    assert.equal(lab.metric('tidegate_grip_instructions_invalid_total'), 1);
  }
});

test('an instruction in JSON behind a next link goes on with its response', async (t) => {
  const lab = await openPages(t, {
    '/': page('start ', { 'Grip-Link': '</next>; rel=next' }),
    '/next': page(
      JSON.stringify({ hold: { mode: 'stream', channels: [{ name: 'news' }] }, response: { body: 'more ' } }),
      { 'Content-Type': 'application/grip-instruct' },
    ),
  });
  const client = await lab.get();
  await lab.subscribed('news');
  await lab.items(item('a'));
  await comes(client, 'start more a');
});

test('meta of later instructions joins that of the first', async (t) => {
  const lab = await openPages(t, {
    '/': page('', { 'Grip-Link': '</next>; rel=next', 'Grip-Set-Meta': 'a="1", b="1"' }),
    '/next': page('', stream('news; filter=var-subst', null, { 'Grip-Set-Meta': 'b="2"' })),
  });
  const client = await lab.get();
  await lab.subscribed('news');
  await lab.items(item('%(a)s %(b)s'));
  await comes(client, '1 2');
});

test('recover fetches the next links of all streams', async (t) => {
  const lab = await openPages(t, {
    '/': page('start ', stream('news', '/next')),
    '/next': page('more ', stream('news', '/next')),
    '/without': page('start ', stream('news')),
  });
  const [client, other] = [await lab.get(), await lab.get('/without')];
  await lab.subscribed('news', 2);
  lab.holds.recover();
  await comes(client, 'start more ');
  assert.equal(chunks(other), 'start ');
});

test('a hint that comes while the origin answers makes the gateway ask again', async (t) => {
  const pages: Pages = { '/': page('', stream('news', '/next')) };
  const lab = await openPages(t, pages);
  let finish = (): void => {};
  pages['/next'] = (_, response) => {
    if (lab.asked.length > 2) {
      response.writeHead(200, stream('news', '/next')).end('second ');
      return;
    }
    response.writeHead(200, stream('news', '/next')).write('first ');
    finish = () => response.end();
  };
  const client = await lab.get();
  await lab.subscribed('news');
  const hint = { channel: 'news', 'http-stream': { action: 'hint' } };
  await lab.items(hint);
  await comes(client, 'first ');
  await lab.items(hint);
  finish();
  await comes(client, 'first second ');
});

test('a close that is published while the origin is asked ends the stream behind the messages before it', async (t) => {
  const answers: ServerResponse[] = [];
  const lab = await openPages(t, {
    '/1': page('body ', stream('news', '/2')),
    '/2': (_, response) => answers.push(response.writeHead(200, stream('news', '/2'))),
  });
  const client = await lab.get('/1');
  await comes(client, 'body ');
  await lab.subscribed('news');
  await lab.items({ channel: 'news', 'http-stream': { action: 'hint' } });
  await until(() => answers.length === 1);
  await lab.items(item('one '), item('two '), { channel: 'news', 'http-stream': { action: 'close' } });
  await lab.items(item('late'));
  answers[0].end('answer ');
  await ends(client, 'body answer one two ');
});

test('a client that leaves takes the request for its link with it, and the gone link is told', async (t) => {
  let closed = 0;
  const lab = await openPages(t, {
    '/': page('', {
      ...stream('news'),
      'Grip-Link': '</next>; rel=next, </gone>; rel=gone',
    }),
    '/next': (request) => request.on('close', () => closed++),
    '/gone': page(''),
  });
  const client = await lab.get();
  await lab.subscribed('news');
  lab.holds.recover();
  await lab.askedTimes(2);
  client.socket.destroy();
  await until(() => closed === 1);
  await lab.askedTimes(3);
  assert.deepEqual([lab.asked[2].method, lab.asked[2].url], ['POST', '/gone']);
  assert.deepEqual(lab.ended, [null]);
});

test('a stream that the server ends does not tell the gone link', async (t) => {
  const lab = await openPages(t, {
    '/': page('', stream('news', null, { 'Grip-Link': '</gone>; rel=gone' })),
  });
  const client = await lab.get();
  await lab.subscribed('news');
  await lab.items({ channel: 'news', 'http-stream': { action: 'close' } });
  await client.ended();
  await until(() => lab.ended.length === 1);
  assert.equal(lab.asked.length, 1);
});
