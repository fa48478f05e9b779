import { answerOf, askedOf, failureOf, headOf } from '../recording.ts';
import { differs, type Scenario } from '../scenario.ts';
import { type Item, type Stage, textOf } from '../stage.ts';

/** Fields of an answer that becomes a stream of the scenario's channel. */
export const streamed = (stage: Stage, more: Record<string, string | string[]> = {}) => ({
  'Content-Type': 'text/plain',
  'Grip-Hold': 'stream',
  'Grip-Channel': stage.channel,
  ...more,
});

export const content = (text: string, more: Item = {}): Item => ({
  formats: { 'http-stream': { content: text } },
  ...more,
});

/** Opens a stream, publishes, and says what came up to the last item, which is `end`. */
export async function streamOf(
  stage: Stage,
  fields: Record<string, string | string[]>,
  ...items: readonly Item[]
): Promise<string> {
  stage.answers(200, streamed(stage, fields), 'first\n');
  const stream = await stage.open();
  await stage.subscribed(stream);
  await stage.publish(...items, content('end\n'));
  await stream.until('end\n');
  return textOf(stream);
}

/** A stream, what is published to it, and how it ends. */
export const STREAM_HOLDS: readonly Scenario[] = [
  {
    name: 'a stream brings what is published',
    run: (stage) => streamOf(stage, {}, content('one\n'), content('two\n')),
  },
  {
    name: 'the head of a stream',
    async run(stage) {
      stage.answers(200, streamed(stage, { 'X-Field': '1', ETag: '"1"', 'Content-Length': '6' }), 'first\n');
      const stream = await stage.open();
      await stage.subscribed(stream);
      return headOf(stream);
    },
  },
  {
    name: 'the status of a stream',
    async run(stage) {
      stage.answers(404, streamed(stage), 'first\n');
      const stream = await stage.open();
      await stage.subscribed(stream);
      return headOf(stream);
    },
  },
  {
    name: 'Grip-Status of a stream',
    async run(stage) {
      stage.answers(200, streamed(stage, { 'Grip-Status': '202 Taken' }), 'first\n');
      const stream = await stage.open();
      await stage.subscribed(stream);
      return headOf(stream);
    },
    differs: differs('stream-reasons', ['reason', 'Taken', 'Accepted']),
  },
  {
    name: 'Grip-Expose-Headers of a stream',
    async run(stage) {
      const fields = { 'Grip-Expose-Headers': 'X-Shown', 'X-Shown': '1', 'X-Hidden': '1' };
      stage.answers(200, streamed(stage, fields), 'first\n');
      const stream = await stage.open();
      await stage.subscribed(stream);
      return headOf(stream);
    },
  },
  {
    name: 'content in base64',
    run: (stage) => streamOf(stage, {}, { 'http-stream': { 'content-bin': 'AAEK' } }),
  },
  {
    name: 'close ends a stream',
    async run(stage) {
      stage.answers(200, streamed(stage), 'first\n');
      const stream = await stage.open();
      await stage.subscribed(stream);
      await stage.publish(content('last\n'), { 'http-stream': { action: 'close' } }, content('beyond\n'));
      const { end } = await stream.ended();
      return { text: textOf(stream), end };
    },
  },
  {
    name: 'hint without a next link does nothing to a stream',
    run: (stage) => streamOf(stage, {}, { 'http-stream': { action: 'hint' } }),
  },
  {
    name: 'an item without a form for streams is passed over by them',
    run: (stage) => streamOf(stage, {}, { 'http-response': { body: 'a response' } }),
  },
  {
    name: 'an empty content',
    run: (stage) => streamOf(stage, {}, content(''), content('one\n')),
  },
  {
    name: 'a first body that is long',
    async run(stage) {
      stage.answers(200, streamed(stage), `${'x'.repeat(300_000)}\n`);
      const stream = await stage.open();
      await stage.subscribed(stream);
      await stage.publish(content('end\n'));
      await stream.until('end\n');
      return { length: textOf(stream).length };
    },
  },
  {
    name: 'what is published is cut into no pieces that a client sees',
    async run(stage) {
      const text = await streamOf(stage, {}, content(`${'y'.repeat(100_000)}\n`));
      return { length: text.length };
    },
  },
  {
    name: 'a stream without channels',
    async run(stage) {
      const fields = { 'Content-Type': 'text/plain', 'Grip-Hold': 'stream' };
      stage.answers(200, { ...fields, 'Grip-Keep-Alive': 'ping; timeout=1' }, 'first\n');
      const stream = await stage.open();
      await stream.until('ping');
      return textOf(stream);
    },
  },
  {
    name: 'twenty-one channels',
    async run(stage) {
      const names = Array.from({ length: 21 }, (_, index) => `${stage.channel}-${index + 1}`);
      stage.answers(200, streamed(stage, { 'Grip-Channel': names }), 'first\n');
      const stream = await stage.open();
      await stage.subscribed(stream, names[0]);
      const taken = [];
      for (const [index, channel] of names.entries()) {
        await stage.publish(
          content(`(${index + 1})`, { channel }),
          content(`<${index + 1}>`, { channel: names[0] }),
        );
        await stream.until(`<${index + 1}>`);
        taken.push(index + 1);
      }
      await stage.publish(content('end', { channel: names[0] }));
      await stream.until('end');
      return taken.filter((number) => stream.text.includes(`(${number})`)).length;
    },
    differs: differs('channels-max', ['all', 20, 21]),
  },
  {
    name: 'a hundred and one channels',
    async run(stage) {
      const names = Array.from({ length: 101 }, (_, index) => `${stage.channel}-${index + 1}`);
      stage.answers(200, streamed(stage, { 'Grip-Channel': names }), 'first\n');
      const stream = await stage.open();
      return { status: stream.status };
    },
    differs: differs('channels-max', ['status', 200, 502]),
  },
  {
    name: 'a channel with a space and a slash in its name',
    async run(stage) {
      const channel = `${stage.channel}/a b`;
      stage.answers(200, streamed(stage, { 'Grip-Channel': channel }), 'first\n');
      const stream = await stage.open();
      await stage.subscribed(stream, channel);
      await stage.publish(content('end\n', { channel }));
      await stream.until('end\n');
      return textOf(stream);
    },
  },
  {
    name: 'a pattern as a channel',
    async run(stage) {
      const channels = `${stage.channel}, ${stage.channel}-below/#`;
      stage.answers(200, streamed(stage, { 'Grip-Channel': channels }));
      const stream = await stage.open();
      await stage.subscribed(stream);
      await stage.publish(content('below\n', { channel: `${stage.channel}-below/x` }), content('end\n'));
      await stream.until('end\n');
      return textOf(stream);
    },
    differs: differs('patterns', ['all', 'end\n', 'below\nend\n']),
  },
  {
    name: 'a stream by POST',
    async run(stage) {
      stage.answers(200, streamed(stage), 'first\n');
      const stream = await stage.open(stage.path(), { method: 'POST', body: 'question' });
      await stage.subscribed(stream);
      await stage.publish(content('end\n'));
      await stream.until('end\n');
      return { text: textOf(stream), asked: stage.asked.map(({ method, body }) => `${method} ${body}`) };
    },
  },
  {
    name: 'a body with a next link and without a hold is followed by what is behind it',
    async run(stage) {
      stage.origin((_request, response, turn) => {
        const link = { 'Grip-Link': `<${stage.path(`?page=${turn + 1}`)}>; rel=next` };
        response.writeHead(200, { 'Content-Type': 'text/plain', ...(turn < 3 ? link : {}) });
        response.end(`page ${turn}\n`);
      });
      const answer = await stage.request(stage.path(), { headers: { Cookie: 'a=1', 'X-Custom': '1' } });
      return { answer: answerOf(answer), asked: askedOf(stage.asked) };
    },
  },
  {
    name: 'a next link that answers with a hold becomes that hold',
    async run(stage) {
      stage.origin((_request, response, turn) => {
        if (turn === 1) {
          const link = `<${stage.path('?page=2')}>; rel=next`;
          response.writeHead(200, { 'Content-Type': 'text/plain', 'Grip-Link': link }).end('page 1\n');
        } else response.writeHead(200, streamed(stage)).end('page 2\n');
      });
      const stream = await stage.open();
      await stage.subscribed(stream);
      await stage.publish(content('end\n'));
      await stream.until('end\n');
      return textOf(stream);
    },
  },
  {
    name: 'a next link with the host of the client',
    async run(stage) {
      stage.origin(({ headers }, response, turn) => {
        const link = { 'Grip-Link': `<http://${headers.host}${stage.path('?page=2')}>; rel=next` };
        response.writeHead(200, { 'Content-Type': 'text/plain', ...(turn === 1 ? link : {}) });
        response.end(`page ${turn}\n`);
      });
      return failureOf(await stage.request());
    },
  },
  {
    name: 'a quoted channel',
    async run(stage) {
      stage.answers(200, streamed(stage, { 'Grip-Channel': [stage.channel, `"${stage.channel}-q"`] }));
      const stream = await stage.open();
      await stage.subscribed(stream);
      await stage.publish(
        content('with quotes\n', { channel: `"${stage.channel}-q"` }),
        content('without\n', { channel: `${stage.channel}-q` }),
        content('end\n'),
      );
      await stream.until('end\n');
      return textOf(stream);
    },
    differs: differs('quoted-channels', ['all', 'with quotes\nend\n', 'without\nend\n']),
  },
  {
    name: 'content of many scripts',
    run: (stage) => streamOf(stage, {}, content('Grüße, 世界, 🌊\n')),
  },
  {
    name: 'the mode of a hold in capitals',
    async run(stage) {
      stage.answers(200, streamed(stage, { 'Grip-Hold': 'STREAM', 'Grip-Timeout': '5' }), 'first\n');
      const stream = await stage.open();
      return { status: stream.status };
    },
  },
  {
    name: 'an empty name among channels',
    async run(stage) {
      stage.answers(200, streamed(stage, { 'Grip-Channel': `${stage.channel}, ,` }), 'first\n');
      const stream = await stage.open();
      return { status: stream.status };
    },
  },
];
