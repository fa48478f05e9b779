import { answerOf, askedOf, failureOf } from '../recording.ts';
import { differs, ORIGIN_ERROR, type Scenario } from '../scenario.ts';
import type { Item, Stage } from '../stage.ts';

const TEXT = { 'Content-Type': 'text/plain' };

/** So many times something is closed that may not have been there the first time. */
const CLOSES = 20;

/** Fields of an answer that is held on the channel of the scenario. */
export const held = (stage: Stage, more: Record<string, string | string[]> = {}) => ({
  ...TEXT,
  'Grip-Hold': 'response',
  'Grip-Channel': stage.channel,
  ...more,
});

/** A held request, and what it is answered with once an item is published. */
export async function answered(
  stage: Stage,
  fields: Record<string, string | string[]>,
  body: string,
  ...items: Item[]
) {
  stage.answers(200, held(stage, fields), body);
  return answerOf(await stage.publishUntilAnswered(stage.open(), ...items));
}

export const item = (response: object): Item => ({ formats: { 'http-response': response } });

/** A hold that ends by its time-out, which is the shortest that there is. */
export async function timedOut(stage: Stage, fields: Record<string, string | string[]>, body = 'held') {
  stage.answers(200, held(stage, { 'Grip-Timeout': '5', ...fields }), body);
  return answerOf(await stage.request());
}

/** A held response, what is published to it, and what becomes of the fields. */
export const RESPONSE_HOLDS: readonly Scenario[] = [
  {
    name: 'a held response is answered with what is published',
    run: (stage) => answered(stage, {}, 'held', item({ body: 'news\n' })),
  },
  {
    name: 'formats may stand on the item itself',
    run: (stage) => answered(stage, {}, 'held', { 'http-response': { body: 'news' } }),
  },
  {
    name: 'a published reason without a status',
    run: (stage) => answered(stage, {}, 'held', item({ reason: 'Fine', body: 'news' })),
  },
  {
    name: 'a published body in base64',
    run: (stage) => answered(stage, {}, 'held', item({ 'body-bin': 'AAECAw==' })),
  },
  {
    name: 'an empty published body',
    run: (stage) => answered(stage, {}, 'held', item({ body: '' })),
  },
  {
    name: 'a patch of the held body',
    run: (stage) =>
      answered(
        stage,
        { 'Content-Type': 'application/json' },
        '{"a":1,"list":[1,2]}\n',
        item({
          'body-patch': [
            { op: 'replace', path: '/a', value: 2 },
            { op: 'add', path: '/list/-', value: 3 },
          ],
        }),
      ),
  },
  {
    name: 'a patch that does not apply',
    async run(stage) {
      stage.origin((_request, response, turn) => {
        const fields = held(stage, { 'Content-Type': 'application/json' });
        if (turn === 1) response.writeHead(200, fields).end('{"a":1}\n');
        else response.writeHead(200, { ...TEXT, 'Content-Length': '5' }).end('newer');
      });
      const answer = await stage.publishUntilAnswered(
        stage.open(),
        item({ 'body-patch': [{ op: 'replace', path: '/b/c', value: 2 }] }),
      );
      return { answer: failureOf(answer), asked: stage.asked.length };
    },
    differs: differs(
      'unfitting-patches',
      ['answer.status', 502, 200],
      ['answer.says', ORIGIN_ERROR, 'newer'],
      ['asked', 1, 2],
    ),
  },
  {
    name: 'close answers with what is held',
    async run(stage) {
      stage.answers(200, held(stage, { 'X-Held': '1' }), 'held');
      let turn = 0;
      // Where it does nothing, something else has to come.
      const next = (): Item => item(++turn < CLOSES ? { action: 'close' } : { body: 'next' });
      return answerOf(await stage.publishUntilAnswered(stage.open(), next));
    },
    differs: differs('closed-responses', ['body', 'next', 'held']),
  },
  {
    name: 'hint asks the origin again',
    async run(stage) {
      stage.origin((_request, response, turn) => {
        if (turn === 1) response.writeHead(200, held(stage)).end('held');
        else response.writeHead(200, { ...TEXT, 'Content-Length': 5 }).end('newer');
      });
      const answer = await stage.publishUntilAnswered(stage.open(), item({ action: 'hint' }));
      return { answer: answerOf(answer), asked: askedOf(stage.asked) };
    },
  },
  {
    name: 'an item without a form for responses is passed over',
    run: (stage) =>
      answered(stage, {}, 'held', { 'http-stream': { content: 'a stream' } }, item({ body: 'news' })),
  },
  {
    name: 'a held POST with a body',
    async run(stage) {
      stage.answers(200, held(stage), 'held');
      const open = stage.open(stage.path(), { method: 'POST', body: 'question' });
      const answer = answerOf(await stage.publishUntilAnswered(open, item({ body: 'answer' })));
      return { answer, asked: stage.asked.map(({ method, body }) => `${method} ${body}`) };
    },
  },
  {
    name: 'a held HEAD',
    async run(stage) {
      stage.answers(200, held(stage));
      const open = stage.open(stage.path(), { method: 'HEAD' });
      return answerOf(await stage.publishUntilAnswered(open, item({ body: 'answer' })));
    },
  },
  {
    name: 'two channels, each of which answers',
    async run(stage) {
      const other = `${stage.channel}-other`;
      stage.answers(200, held(stage, { 'Grip-Channel': `${stage.channel}, ${other}` }), 'held');
      const one = await stage.publishUntilAnswered(stage.open(), item({ body: 'one' }));
      const two = await stage.publishUntilAnswered(stage.open(), {
        ...item({ body: 'other' }),
        channel: other,
      });
      return [one.body, two.body];
    },
  },
  {
    name: 'channels in several fields',
    async run(stage) {
      const other = `${stage.channel}-other`;
      stage.answers(200, held(stage, { 'Grip-Channel': [stage.channel, other] }), 'held');
      const answer = await stage.publishUntilAnswered(stage.open(), {
        ...item({ body: 'other' }),
        channel: other,
      });
      return answer.body;
    },
  },
  {
    name: 'a prefix of the route',
    async run(stage) {
      stage.answers(200, held(stage), 'held');
      const answer = await stage.publishUntilAnswered(stage.open(stage.path('', 'prefixed')), {
        ...item({ body: 'prefixed' }),
        channel: `pre-${stage.channel}`,
      });
      return answer.body;
    },
  },
  {
    name: 'content filters that the client does not have',
    run: (stage) =>
      answered(
        stage,
        {},
        'held',
        item({ body: 'filtered', 'content-filters': ['build-id'] }),
        item({ body: 'for all' }),
      ),
    differs: differs(
      'content-filters',
      ['status', 502, 200],
      ['reason', 'Bad Gateway', 'OK'],
      ['headers.content-length', '32', '7'],
      ['body', ORIGIN_ERROR, 'for all'],
    ),
  },
  {
    name: 'one item for three transports',
    async run(stage) {
      const side = `${stage.channel}-side`;
      stage.origin(
        ({ url }, response) => {
          const isStream = url.endsWith('?stream');
          const stream = { 'Grip-Hold': 'stream', 'Grip-Channel': [stage.channel, side] };
          response.writeHead(200, isStream ? held(stage, stream) : held(stage)).end();
        },
        (socket) => {
          for (const channel of [stage.channel, side])
            socket.send(`c:${JSON.stringify({ type: 'subscribe', channel })}`);
        },
        'grip',
      );
      const stream = await stage.open(stage.path('?stream'));
      const client = await stage.socket().opened();
      await stage.subscribed(stream, side);
      await stage.socketSubscribed(client, side);
      const answer = await stage.publishUntilAnswered(stage.open(), {
        formats: {
          'http-response': { body: 'as a response' },
          'http-stream': { content: 'in a stream' },
          'ws-message': { content: 'as a message' },
        },
      });
      await stream.until('in a stream');
      await client.until('as a message');
      return answer.body;
    },
  },
  {
    name: 'a published body of two hundred kilobytes',
    async run(stage) {
      stage.answers(200, held(stage), 'held');
      const body = 'x'.repeat(200_000);
      const answer = await stage.publishUntilAnswered(stage.open(), item({ body }));
      return { status: answer.status, bytes: answer.body.length, end: answer.end };
    },
  },
  {
    name: 'a published body of many scripts',
    run: (stage) => answered(stage, {}, 'held', item({ body: 'Grüße, 世界, 🌊' })),
  },
];
