import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { openLab, until } from '../../listeners/lab.ts';
import { comes, type GripLab, openGripLab, response } from '../grip/lab.ts';
import { WrittenList } from './written-list.ts';

// Who is present by a held stream.

async function stage(t: TestContext): Promise<{ lab: GripLab; present: WrittenList }> {
  const present = new WrittenList();
  const fields = () => ['Grip-Feature', 'link:next'];
  const lab = await openGripLab(t, {}, 'pre-', fields, openLab, null, present.list);
  return { lab, present };
}

async function told(present: WrittenList, count: number): Promise<string[]> {
  await until(
    () => present.lines.length >= count,
    () => `${count} lines in ${JSON.stringify(present.lines)}`,
  );
  return present.take();
}

test('a stream with a user is present in its channels, as the route names them, until its client leaves', async (t) => {
  const { lab, present } = await stage(t);
  lab.answers((_, answer) =>
    answer
      .writeHead(200, {
        'Grip-Hold': 'stream',
        'Grip-Channel': 'a, b, c/#',
        'Grip-Set-Meta': 'user="ann"',
      })
      .end('welcome'),
  );
  const client = await lab.get();
  await comes(client, 'welcome');
  assert.deepEqual(present.take(), ['ann joins pre-a', 'ann joins pre-b']);
  assert.match([...present.clients].join(), /^[0-9A-Za-z]{24}$/);
  client.socket.destroy();
  assert.deepEqual(await told(present, 2), ['ann leaves pre-a', 'ann leaves pre-b']);
});

test('who has no user, or waits for one response, is not present', async (t) => {
  const { lab, present } = await stage(t);
  const heads = [
    { 'Grip-Hold': 'stream', 'Grip-Channel': 'a' },
    { 'Grip-Hold': 'stream', 'Grip-Channel': 'a', 'Grip-Set-Meta': 'user=""' },
    { 'Grip-Hold': 'stream', 'Grip-Channel': 'a', 'Grip-Set-Meta': 'name="ann"' },
    { 'Grip-Hold': 'response', 'Grip-Channel': 'a', 'Grip-Set-Meta': 'user="ann"' },
  ];
  lab.answers((_, answer) => answer.writeHead(200, heads[lab.asked.length - 1]).end('welcome'));
  for (let count = 1; count <= heads.length; count++) {
    await lab.get();
    await lab.subscribed('pre-a', count);
  }
  assert.deepEqual(present.lines, []);
});

test('a next link changes channels and the user, and nothing is heard of what stays', async (t) => {
  const { lab, present } = await stage(t);
  const answers = [
    { 'Grip-Channel': 'a, b', 'Grip-Set-Meta': 'user="ann"' },
    { 'Grip-Channel': 'a, c' },
    { 'Grip-Channel': 'a', 'Grip-Set-Meta': 'user="bob"' },
  ];
  lab.answers((_, answer) => {
    const number = lab.asked.length;
    answer
      .writeHead(200, { 'Grip-Hold': 'stream', 'Grip-Link': '</next>; rel=next', ...answers[number - 1] })
      .end(`${number}`);
  });
  const client = await lab.get();
  await comes(client, '1');
  assert.deepEqual(await told(present, 2), ['ann joins pre-a', 'ann joins pre-b']);
  lab.holds.recover();
  await comes(client, '12');
  assert.deepEqual(await told(present, 2), ['ann leaves pre-b', 'ann joins pre-c']);
  lab.holds.recover();
  await comes(client, '123');
  assert.deepEqual(await told(present, 3), ['ann leaves pre-a', 'ann leaves pre-c', 'bob joins pre-a']);
  assert.equal(present.clients.size, 1);
});

test('a stream that cannot be held is not present', async (t) => {
  const { lab, present } = await stage(t);
  lab.answers((_, answer) =>
    answer
      .writeHead(200, {
        'Grip-Hold': 'stream',
        'Grip-Channel': 'a, a/#/b',
        'Grip-Set-Meta': 'user="ann"',
      })
      .end('welcome'),
  );
  await response(await lab.get());
  assert.deepEqual(present.lines, []);
});
