import { answerOf, failureOf, type Recording } from '../recording.ts';
import { differs, ORIGIN_ERROR, REFUSED, type Scenario } from '../scenario.ts';
import { type Stage, textOf } from '../stage.ts';
import { content } from './stream-holds.ts';

const TYPE = { 'Content-Type': 'application/grip-instruct' };

/** A held response by an instruction in JSON, answered by an item. */
async function answered(stage: Stage, instruct: (channel: string) => object): Promise<Recording> {
  stage.answers(200, TYPE, JSON.stringify(instruct(stage.channel)));
  return answerOf(await stage.publishUntilAnswered(stage.open(), { 'http-response': { body: 'news' } }));
}

/** An instruction that ends at once, or by its time-out. */
async function ended(stage: Stage, body: string, status = 200): Promise<Recording> {
  stage.answers(status, TYPE, body);
  try {
    return failureOf(await stage.request());
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('Parse Error')) return 'what is no HTTP';
    throw error;
  }
}

const hold = (channel: string, more: object = {}) => ({ channels: [{ name: channel }], ...more });

/** Instructions in JSON, as bodies of the type application/grip-instruct. */
export const INSTRUCT_BODIES: readonly Scenario[] = [
  {
    name: 'JSON holds a response',
    run: (stage) => answered(stage, (channel) => ({ hold: hold(channel, { mode: 'response' }) })),
  },
  {
    name: 'JSON without a mode holds a response',
    run: (stage) => answered(stage, (channel) => ({ hold: hold(channel) })),
  },
  {
    name: 'JSON with a response is answered after the time-out',
    async run(stage) {
      const response = {
        code: 203,
        reason: 'Well',
        headers: { 'X-A': '1', 'Content-Type': 'text/x' },
        body: 'held',
      };
      const body = JSON.stringify({ hold: hold(stage.channel, { timeout: 5 }), response });
      stage.answers(200, TYPE, body);
      return answerOf(await stage.request());
    },
  },
  {
    name: 'JSON with fields as pairs and a body in base64',
    async run(stage) {
      const response = {
        headers: [
          ['X-A', '1'],
          ['X-A', '2'],
        ],
        'body-bin': 'AAEC',
      };
      stage.answers(200, TYPE, JSON.stringify({ hold: hold(stage.channel, { timeout: 5 }), response }));
      return answerOf(await stage.request());
    },
  },
  {
    name: 'JSON with a response of a status without a body',
    async run(stage) {
      stage.answers(200, TYPE, JSON.stringify({ response: { code: 204, body: '' } }));
      return answerOf(await stage.request());
    },
  },
  {
    name: 'JSON with a response without a body',
    run: (stage) => ended(stage, JSON.stringify({ response: { code: 200 } })),
    differs: differs('missing-bodies', ['status', 502, 200], ['says', ORIGIN_ERROR, '']),
  },
  {
    name: 'JSON without a hold is a response',
    async run(stage) {
      stage.answers(200, TYPE, JSON.stringify({ response: { code: 404, body: 'not here' } }));
      return answerOf(await stage.request());
    },
  },
  {
    name: 'JSON opens a stream with a keep-alive and meta',
    async run(stage) {
      const keepAlive = { content: 'ping\n', timeout: 1 };
      const channels = [{ name: stage.channel, filters: ['skip-self'] }];
      const instruct = {
        hold: { mode: 'stream', channels, 'keep-alive': keepAlive, meta: { user: 'ann' } },
        response: { headers: { 'Content-Type': 'text/plain' }, body: 'first\n' },
      };
      stage.answers(200, TYPE, JSON.stringify(instruct));
      const stream = await stage.open();
      await stage.subscribed(stream);
      await stage.publish(
        content('by ann\n', { meta: { sender: 'ann' } }),
        content('by bob\n', { meta: { sender: 'bob' } }),
      );
      await stream.until('ping\n');
      await stream.until('by bob\n');
      return { type: String(stream.headers['content-type']), text: textOf(stream).replaceAll('ping\n', '') };
    },
  },
  {
    name: 'JSON with a keep-alive in base64',
    async run(stage) {
      const keepAlive = { 'content-bin': 'AAE=', timeout: 1 };
      const instruct = { hold: hold(stage.channel, { mode: 'stream', 'keep-alive': keepAlive }) };
      stage.answers(200, TYPE, JSON.stringify(instruct));
      const stream = await stage.open();
      await stream.until('\x00\x01');
      return { hasKeepAlive: true };
    },
  },
  { name: 'JSON that cannot be read', run: (stage) => ended(stage, '{"hold":'), differs: REFUSED },
  { name: 'JSON that is a list', run: (stage) => ended(stage, '[]'), differs: REFUSED },
  { name: 'JSON that is empty', run: (stage) => ended(stage, '{}'), differs: REFUSED },
  {
    name: 'JSON with a mode that does not exist',
    run: (stage) => ended(stage, JSON.stringify({ hold: hold('x', { mode: 'forever' }) })),
    differs: REFUSED,
  },
  {
    name: 'JSON with a channel without a name',
    run: (stage) => ended(stage, '{"hold":{"channels":[{}],"timeout":5}}'),
    differs: REFUSED,
  },
  {
    name: 'JSON with a hold without channels',
    run: (stage) => ended(stage, '{"hold":{"timeout":5}}'),
    differs: REFUSED,
  },
  {
    name: 'JSON with a time-out that is no number',
    async run(stage) {
      stage.answers(200, TYPE, JSON.stringify({ hold: hold(stage.channel, { timeout: 'soon' }) }));
      // Where it is held all the same, this answers it.
      const answer = await stage.publishUntilAnswered(stage.open(), { 'http-response': { body: 'news' } });
      return failureOf(answer);
    },
    differs: differs('unreadable-values', ['status', 200, 502], ['says', 'news', 'grip_instruct_invalid']),
  },
  {
    name: 'JSON with a code that is no number',
    run: (stage) => ended(stage, '{"response":{"code":"fine","body":""}}'),
    differs: differs('unreadable-values', [
      'all',
      'what is no HTTP',
      { status: 502, says: 'grip_instruct_invalid', end: 'whole' },
    ]),
  },
  {
    name: 'JSON with base64 that is none',
    run: (stage) => ended(stage, '{"response":{"body-bin":"%%%"}}'),
    differs: differs('unreadable-values', ['status', 200, 502], ['says', '', 'grip_instruct_invalid']),
  },
  {
    name: 'JSON with another status than 200',
    run: (stage) => ended(stage, JSON.stringify({ response: { body: 'fine' } }), 201),
    differs: REFUSED,
  },
  {
    name: 'JSON with unknown members',
    run: (stage) => ended(stage, JSON.stringify({ response: { body: 'fine', unknown: 1 }, unknown: 1 })),
  },
  {
    name: 'JSON of 120 kilobytes',
    run: (stage) => ended(stage, JSON.stringify({ response: { body: 'x'.repeat(120_000) } })),
    differs: differs(
      'sizes',
      ['status', 502, 200],
      [
        'says',
        ORIGIN_ERROR,
        'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
      ],
    ),
  },
];
