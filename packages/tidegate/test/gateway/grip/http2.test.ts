import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { ask, openSecureLab, openSession } from '../../listeners/http2-lab.ts';
import { until } from '../../listeners/lab.ts';
import { NO_OPENSSL } from '../../support/certificates.ts';
import { type GripLab, openGripLab } from './lab.ts';

const open = (t: TestContext): Promise<GripLab> => openGripLab(t, {}, '', () => [], openSecureLab);

describe('On HTTP/2', { skip: NO_OPENSSL }, () => {
  test('several streams and held responses share a connection', async (t) => {
    const lab = await open(t);
    lab.answers((request, answer) =>
      answer
        .writeHead(200, {
          'Grip-Hold': request.url?.startsWith('/poll') === true ? 'response' : 'stream',
          'Grip-Channel': 'news',
          'Content-Type': 'text/plain',
        })
        .end('begun '),
    );
    const session = await openSession(t, lab);
    const [one, two] = [ask(session, { ':path': '/stream' }), ask(session, { ':path': '/stream' })];
    const poll = ask(session, { ':path': '/poll' });
    await lab.subscribed('news', 3);
    await lab.items({
      channel: 'news',
      'http-stream': { content: 'message ' },
      'http-response': { code: 201, body: 'answer' },
    });
    const answer = await poll.answer();
    assert.deepEqual(
      [answer.status, answer.body, answer.headers['content-type']],
      [201, 'answer', 'text/plain'],
    );
    for (const stream of [one, two]) await stream.until('begun message ');
    one.stream.close();
    await lab.subscribed('news', 1);
    await lab.items({ channel: 'news', 'http-stream': { action: 'close' } });
    assert.equal((await two.answer()).body, 'begun message ');
    await until(() => lab.ended.length === 3);
    assert.deepEqual([...lab.ended].sort(), [200, 201, null]);
  });

  test('a stream that cannot go on is reset, so that it does not look complete', async (t) => {
    const lab = await open(t);
    lab.answers((_, answer) => {
      answer.writeHead(200, { 'Grip-Hold': 'stream', 'Grip-Channel': 'news' }).write('begun');
      setTimeout(() => answer.destroy(), 5);
    });
    const stream = ask(await openSession(t, lab), { ':path': '/' });
    await until(() => stream.isClosed);
    assert.notEqual(stream.stream.rstCode, 0);
  });
});
