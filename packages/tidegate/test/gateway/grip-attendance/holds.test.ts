import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { LocalAttendance } from '../../../src/gateway/grip-attendance/local-attendance.ts';
import { seededRandom } from '../../../src/kernel/index.ts';
import { openLab, until } from '../../listeners/lab.ts';
import { comes, type GripLab, openGripLab, response } from '../grip/lab.ts';
import { WrittenRoll } from './roll.ts';

// What held responses and streams say of themselves to the list of who is held.

interface Stage {
  readonly lab: GripLab;
  readonly roll: WrittenRoll;
  /** Waits for so many lines, and returns them without the ids, which nobody knows. */
  told(count: number): Promise<string[]>;
}

async function stage(t: TestContext): Promise<Stage> {
  const attendance = new LocalAttendance(seededRandom(1));
  const roll = new WrittenRoll();
  attendance.tell(roll);
  const fields = () => ['Grip-Feature', 'link:next'];
  const lab = await openGripLab(t, {}, 'pre-', fields, openLab, attendance);
  return {
    lab,
    roll,
    async told(count) {
      await until(
        () => roll.lines.length >= count,
        () => `${count} lines in ${JSON.stringify(roll.lines)}`,
      );
      return roll.take().map((line) => line.replace(/^(arrived|left) \S+/, '$1'));
    },
  };
}

test('a held response is on the list until it is answered, with its channels as the route names them', async (t) => {
  const { lab, told } = await stage(t);
  lab.answers((_, answer) =>
    answer.writeHead(200, { 'Grip-Hold': 'response', 'Grip-Channel': 'a, b' }).end('nothing'),
  );
  const client = await lab.get();
  assert.deepEqual(await told(3), [
    'arrived http all 127.0.0.1 http',
    'response all pre-a: 1',
    'response all pre-b: 1',
  ]);
  await lab.items({ channel: 'pre-a', 'http-response': { body: 'something' } });
  assert.equal((await response(client)).body, 'something');
  assert.deepEqual(await told(3), ['response all pre-a: 0', 'response all pre-b: 0', 'left']);
});

test('a client that leaves is on the list no more', async (t) => {
  const { lab, told } = await stage(t);
  lab.answers((_, answer) =>
    answer.writeHead(200, { 'Grip-Hold': 'stream', 'Grip-Channel': 'a' }).end('welcome'),
  );
  const client = await lab.get();
  assert.deepEqual(await told(2), ['arrived http all 127.0.0.1 http', 'stream all pre-a: 1']);
  client.socket.destroy();
  assert.deepEqual(await told(2), ['stream all pre-a: 0', 'left']);
});

test('a channel that goes on behind a next link never seems to have nobody', async (t) => {
  const { lab, told } = await stage(t);
  lab.answers((_, answer) =>
    answer
      .writeHead(200, {
        'Grip-Hold': 'stream',
        'Grip-Channel': lab.asked.length === 1 ? 'a, b' : 'a, c',
        'Grip-Link': '</next>; rel=next',
      })
      .end(`body ${lab.asked.length}`),
  );
  const client = await lab.get();
  await comes(client, 'body 1');
  assert.deepEqual((await told(3)).slice(1), ['stream all pre-a: 1', 'stream all pre-b: 1']);
  lab.holds.recover();
  await comes(client, 'body 1body 2');
  assert.deepEqual(await told(4), [
    'stream all pre-a: 2',
    'stream all pre-c: 1',
    'stream all pre-a: 1',
    'stream all pre-b: 0',
  ]);
});

test('a keep-alive is activity', async (t) => {
  const { lab, told } = await stage(t);
  lab.answers((_, answer) =>
    answer
      .writeHead(200, { 'Grip-Hold': 'stream', 'Grip-Channel': 'a', 'Grip-Keep-Alive': 'alive; timeout=20' })
      .end('welcome '),
  );
  const client = await lab.get();
  await comes(client, 'welcome ');
  await told(2);
  await lab.subscribed('pre-a');
  lab.clock.advance(21_000);
  await comes(client, 'welcome alive');
  assert.deepEqual(await told(1), ['active all 1']);
});

test('what cannot be held is not on the list', async (t) => {
  const { lab, told, roll } = await stage(t);
  lab.answers((_, answer) =>
    answer.writeHead(200, { 'Grip-Hold': 'stream', 'Grip-Channel': 'a, a/#/b' }).end('welcome'),
  );
  await response(await lab.get());
  assert.deepEqual(await told(6), [
    'arrived http all 127.0.0.1 http',
    'stream all pre-a: 1',
    'stream all pre-a/#/b: 1',
    'stream all pre-a: 0',
    'stream all pre-a/#/b: 0',
    'left',
  ]);
  assert.equal(roll.lines.length, 0);
});
