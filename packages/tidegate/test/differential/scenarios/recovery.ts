import { answerOf } from '../recording.ts';
import { differs, type Scenario } from '../scenario.ts';
import { type Item, type Stage, textOf } from '../stage.ts';
import { numbered } from './order-of-items.ts';
import { content, streamed } from './stream-holds.ts';

/** What of the questions of an origin matters here: the query, and what the gateway says that the client has. */
const questions = (stage: Stage) =>
  stage.asked.map(({ method, url, headers, body }) => ({
    method,
    query: url.split('?')[1] ?? '',
    last: lastOf(headers['grip-last']),
    body,
  }));

/** An id that the gateway has given itself is another each time. */
const lastOf = (field: string | string[] | undefined): string | null =>
  field === undefined ? null : String(field).replace(/last-id=\w{12}-\d+-\d+$/, 'last-id=given');

/** What becomes of a client that has missed something, and when origins are asked again. */
export const RECOVERY: readonly Scenario[] = [
  {
    name: 'what was published while nobody was there',
    async run(stage) {
      stage.answers(200, streamed(stage, { 'Grip-Channel': `${stage.channel}; prev-id=1` }), 'first\n');
      await stage.publish(numbered('1'), numbered('2', '1'));
      const stream = await stage.open();
      await stream.untilOrEnd('2\n');
      return { text: textOf(stream), end: stream.end };
    },
    differs: differs('kept-items', ['text', 'first\n', 'first\n2\n'], ['end', 'whole', 'open']),
  },
  {
    name: 'an item that the client has already',
    async run(stage) {
      const side = `${stage.channel}-side`;
      const both = { 'Grip-Channel': `${stage.channel}; prev-id=1, ${side}` };
      stage.origin(({ url }, response) => {
        const link = { 'Grip-Link': `<${stage.path('?next')}>; rel=next; timeout=120` };
        if (url.endsWith('?warm'))
          response
            .writeHead(
              200,
              streamed(stage, { 'Grip-Channel': both['Grip-Channel'].replace('; prev-id=1', '') }),
            )
            .end();
        else if (url.endsWith('?next'))
          response.writeHead(200, streamed(stage, { ...both, ...link })).end('asked\n');
        else response.writeHead(200, streamed(stage, { ...both, ...link })).end('first\n');
      });
      // Somebody else is there already, so that the link is not fetched for the first subscriber.
      const warm = await stage.open(stage.path('?warm'));
      await stage.subscribed(warm, side);
      const stream = await stage.open();
      await stage.subscribed(stream, side);
      await stage.publish(numbered('1', '0'));
      await stage.publish(numbered('2', '1'));
      await stream.until('2\n');
      return textOf(stream);
    },
    differs: differs('had-already', ['all', 'first\nasked\n2\n', 'first\n2\n']),
  },
  {
    name: 'next links that differ in their query',
    async run(stage) {
      let isHinted = false;
      const waiting: (() => void)[] = [];
      stage.origin(({ url }, response) => {
        const name = url.endsWith('=a') ? 'a' : 'b';
        const link = { 'Grip-Link': `<${stage.path(`?for=${name}`)}>; rel=next; timeout=120` };
        const answer = (): void => {
          response.writeHead(200, streamed(stage, link)).end(isHinted ? `for ${name}\n` : 'first\n');
        };
        if (!isHinted) answer();
        else {
          // Both are asked for before the first is answered, as far as both are asked for.
          waiting.push(answer);
          if (stage.side === 'pushpin' || waiting.length === 2) for (const each of waiting.splice(0)) each();
        }
      });
      const a = await stage.open(stage.path('?for=a'));
      const b = await stage.open(stage.path('?for=b'));
      await stage.subscribed(a);
      await stage.subscribed(b);
      isHinted = true;
      await stage.publish({ 'http-stream': { action: 'hint' } });
      await Promise.all([a.until('for '), b.until('for ')]);
      await stage.publish(content('end\n'));
      await Promise.all([a.until('end\n'), b.until('end\n')]);
      // Where both were one request, its answer may be that of either.
      return { isEachItsOwn: textOf(a).includes('for a') && textOf(b).includes('for b') };
    },
    differs: differs('link-queries', ['isEachItsOwn', false, true]),
  },
  {
    name: 'a long-poll that has missed something asks the origin again',
    async run(stage) {
      // A stream keeps the channel alive, and shows that the item is known before the long-poll comes.
      const hold = (mode: string, previous: string) => ({
        'Content-Type': 'text/plain',
        'Grip-Hold': mode,
        'Grip-Channel': `${stage.channel}${previous}`,
        'Grip-Timeout': '5',
      });
      stage.origin(({ url, headers }, response) => {
        if (url.endsWith('?stream')) response.writeHead(200, hold('stream', '')).end();
        else if (headers['grip-last'] === undefined)
          response.writeHead(200, hold('response', '; prev-id=missed')).end('held');
        else response.writeHead(200, { 'Content-Type': 'text/plain' }).end('what was missed');
      });
      const stream = await stage.open(stage.path('?stream'));
      await stage.subscribed(stream);
      await stage.publish(numbered('1'), numbered('2', '1'));
      await stream.until('2\n');
      const { body } = await stage.request(stage.path('?poll'));
      return { body, asked: questions(stage).slice(1) };
    },
  },
  {
    name: 'a long-poll that is one item behind',
    async run(stage) {
      const hold = (mode: string, previous: string) => ({
        'Content-Type': 'text/plain',
        'Grip-Hold': mode,
        'Grip-Channel': `${stage.channel}${previous}`,
      });
      stage.origin(({ url, headers }, response) => {
        if (url.endsWith('?stream')) response.writeHead(200, hold('stream', '')).end();
        else if (headers['grip-last'] === undefined)
          response.writeHead(200, hold('response', '; prev-id=1')).end('held');
        else response.writeHead(200, { 'Content-Type': 'text/plain' }).end('2 from the origin');
      });
      const both = (id: string, previous?: string): Item => ({
        ...numbered(id, previous),
        formats: {
          'http-stream': { content: `${id}\n` },
          'http-response': { body: `${id} from the channel` },
        },
      });
      const stream = await stage.open(stage.path('?stream'));
      await stage.subscribed(stream);
      await stage.publish(both('1'), both('2', '1'));
      await stream.until('2\n');
      const { body } = await stage.request(stage.path('?poll'));
      return { body, asked: questions(stage).slice(1) };
    },
    differs: differs(
      'known-ids',
      ['body', '2 from the origin', '2 from the channel'],
      [
        'asked.1',
        { method: 'GET', query: 'poll', last: 'a-long-poll-that-is-one-item-behind; last-id=1', body: '' },
        null,
      ],
    ),
  },
  {
    name: 'a long-poll that has missed nothing waits',
    async run(stage) {
      const hold = (mode: string, previous: string) => ({
        'Content-Type': 'text/plain',
        'Grip-Hold': mode,
        'Grip-Channel': `${stage.channel}${previous}`,
        'Grip-Timeout': '5',
      });
      stage.origin(({ url }, response) => {
        if (url.endsWith('?stream')) response.writeHead(200, hold('stream', '')).end();
        else response.writeHead(200, hold('response', '; prev-id=2')).end('held');
      });
      const stream = await stage.open(stage.path('?stream'));
      await stage.subscribed(stream);
      await stage.publish(numbered('1'), numbered('2', '1'));
      await stream.until('2\n');
      const { body } = await stage.request(stage.path('?poll'));
      return body;
    },
  },
  {
    name: 'a stream with prev-id and without a next link',
    async run(stage) {
      const keepAlive = { 'Grip-Keep-Alive': 'ping\\n; format=cstring; timeout=1' };
      stage.answers(
        200,
        streamed(stage, { ...keepAlive, 'Grip-Channel': `${stage.channel}; prev-id=1` }),
        'first\n',
      );
      const stream = await stage.open();
      await stream.untilOrEnd('ping\n');
      return { text: textOf(stream).slice(0, 11), end: stream.end };
    },
    differs: differs('no-next-link', ['text', 'first\n', 'first\nping\n'], ['end', 'whole', 'open']),
  },
  {
    name: 'a stream that has missed something fetches its next link',
    async run(stage) {
      const link = { 'Grip-Link': `<${stage.path('?after')}>; rel=next` };
      stage.origin(({ url, headers }, response) => {
        if (url.endsWith('?warm')) response.writeHead(200, streamed(stage)).end();
        else if (url.endsWith('?after')) {
          const last = headers['grip-last'] === undefined ? 'unknown' : String(headers['grip-last']);
          response.writeHead(
            200,
            streamed(stage, { ...link, 'Grip-Channel': `${stage.channel}; prev-id=2` }),
          );
          response.end(last.includes('last-id=0') ? '1 and 2\n' : '');
        } else {
          response.writeHead(
            200,
            streamed(stage, { ...link, 'Grip-Channel': `${stage.channel}; prev-id=0` }),
          );
          response.end('first\n');
        }
      });
      const warm = await stage.open(stage.path('?warm'));
      await stage.subscribed(warm);
      await stage.publish(numbered('1'), numbered('2', '1'));
      await warm.until('2\n');
      const stream = await stage.open();
      await stream.until('1 and 2\n');
      await stage.publish(numbered('3', '2'));
      await stream.until('3\n');
      return { text: textOf(stream), missed: questions(stage)[2] };
    },
  },
  {
    name: 'the first subscriber of a channel and its next link',
    async run(stage) {
      stage.origin(({ url }, response) => {
        const link = `<${stage.path('?next')}>; rel=next; timeout=120`;
        response.writeHead(200, streamed(stage, { 'Grip-Link': link, 'Grip-Keep-Alive': 'ping; timeout=4' }));
        response.end(url.endsWith('?next') ? '' : 'first\n');
      });
      const stream = await stage.open();
      // The link is fetched after a second, if it is; the keep-alive comes after three at least.
      if (stage.side === 'pushpin') await stage.untilAsked(2);
      else await stream.until('ping');
      return { isFetched: stage.asked.length > 1 };
    },
    differs: differs('first-subscriber', ['isFetched', true, false]),
  },
  {
    name: 'the time-out of a next link',
    async run(stage) {
      stage.origin(({ url }, response, turn) => {
        const link = { 'Grip-Link': `<${stage.path('?next')}>; rel=next; timeout=2` };
        response.writeHead(200, streamed(stage, link));
        response.end(url.endsWith('?next') ? `again ${Math.min(turn, 2)}\n` : 'first\n');
      });
      const stream = await stage.open();
      await stream.until('again 2\n');
      return { text: textOf(stream).slice(0, 14), asked: questions(stage).slice(0, 2) };
    },
  },
  {
    name: 'a hint fetches the next link',
    async run(stage) {
      stage.origin(({ url }, response) => {
        const link = { 'Grip-Link': `<${stage.path('?next')}>; rel=next; timeout=120` };
        response.writeHead(200, streamed(stage, url.endsWith('?next') ? {} : link));
        response.end(url.endsWith('?next') ? 'hinted\n' : 'first\n');
      });
      const stream = await stage.open();
      await stage.subscribed(stream);
      await stage.publish({ 'http-stream': { action: 'hint' } });
      await stream.until('hinted\n');
      await stage.publish(content('end\n'));
      await stream.until('end\n');
      return { text: textOf(stream), asked: questions(stage) };
    },
    differs: differs('unnumbered-items', [
      'asked.1.last',
      null,
      'a-hint-fetches-the-next-link; last-id=given',
    ]),
  },
  {
    name: 'a hold of a POST that has to be asked again',
    async run(stage) {
      stage.origin(({ body }, response, turn) => {
        if (turn === 1)
          response
            .writeHead(200, {
              'Content-Type': 'text/plain',
              'Grip-Hold': 'response',
              'Grip-Channel': stage.channel,
            })
            .end('held');
        else
          response
            .writeHead(200, { 'Content-Length': '5', 'Content-Type': 'text/plain' })
            .end(body || 'empty');
      });
      const open = stage.open(stage.path(), { method: 'POST', body: 'quest' });
      const answer = await stage.publishUntilAnswered(open, { 'http-response': { action: 'hint' } });
      return { answer: answerOf(answer), asked: questions(stage) };
    },
    differs: differs(
      'repeated-posts',
      ['answer.headers.content-length', '5', '4'],
      ['answer.body', 'quest', 'held'],
      ['asked.1', { method: 'POST', query: '', last: null, body: 'quest' }, null],
    ),
  },
];
