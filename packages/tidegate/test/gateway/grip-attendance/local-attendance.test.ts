import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalAttendance } from '../../../src/gateway/grip-attendance/local-attendance.ts';
import { seededRandom } from '../../../src/kernel/index.ts';
import { arrival, WrittenRoll } from './roll.ts';

function list(): { attendance: LocalAttendance; roll: WrittenRoll } {
  const attendance = new LocalAttendance(seededRandom(1));
  const roll = new WrittenRoll();
  attendance.tell(roll);
  return { attendance, roll };
}

test('subscriptions are counted by mode, route and channel', () => {
  const { attendance, roll } = list();
  const one = attendance.arrive(arrival('stream', 'one'));
  const two = attendance.arrive(arrival('stream', 'two'));
  const other = attendance.arrive(arrival('ws', 'other', { route: 'sockets', scheme: 'https' }));
  for (const each of [one, two, other]) each.join('a');
  one.part('a');
  assert.deepEqual(roll.take(), [
    'arrived one http all 192.0.2.1 http',
    'arrived two http all 192.0.2.1 http',
    'arrived other ws sockets 192.0.2.1 https',
    'stream all a: 1',
    'stream all a: 2',
    'ws sockets a: 1',
    'stream all a: 1',
  ]);
});

test('whoever leaves is subscribed to nothing, and says so once', () => {
  const { attendance, roll } = list();
  const one = attendance.arrive(arrival('response', 'one'));
  one.join('a');
  one.join('b');
  roll.take();
  one.leave();
  one.leave();
  one.join('c');
  one.part('a');
  assert.deepEqual(roll.take(), ['response all a: 0', 'response all b: 0', 'left one']);
});

test('a channel that is joined twice has to be parted from twice', () => {
  const { attendance, roll } = list();
  const one = attendance.arrive(arrival('stream', 'one'));
  one.join('a');
  one.join('a');
  one.part('a');
  one.part('a');
  one.part('a');
  assert.deepEqual(roll.take().slice(1), [
    'stream all a: 1',
    'stream all a: 2',
    'stream all a: 1',
    'stream all a: 0',
  ]);
});

test('a connection without a name is given one', () => {
  const { attendance, roll } = list();
  attendance.arrive({ ...arrival('stream', ''), id: null });
  attendance.arrive({ ...arrival('stream', ''), id: null });
  const ids = roll.take().map((line) => line.split(' ')[1]);
  assert.equal(new Set(ids).size, 2);
  assert.deepEqual(attendance.connected([...ids, 'nobody']), ids);
});

test('the origins of WebSockets are asked by their ids, or by their channel', () => {
  const { attendance } = list();
  const asked: string[] = [];
  const socket = (id: string) => attendance.arrive(arrival('ws', id, { refresh: () => asked.push(id) }));
  const one = socket('one');
  const two = socket('two');
  socket('three');
  const stream = attendance.arrive(arrival('stream', 'stream'));
  for (const each of [one, two, stream]) each.join('a');
  assert.equal(attendance.refresh({ id: 'two' }), 'found');
  assert.equal(attendance.refresh({ id: 'stream' }), 'not_found');
  assert.equal(attendance.refresh({ id: 'nobody' }), 'not_found');
  assert.deepEqual(asked.splice(0), ['two']);
  assert.equal(attendance.refresh({ channel: 'a' }), 'found');
  assert.equal(attendance.refresh({ channel: 'b' }), 'not_found');
  assert.deepEqual(asked.splice(0), ['one', 'two']);
  two.leave();
  assert.equal(attendance.refresh({ id: 'two' }), 'not_found');
  assert.deepEqual(attendance.connected(['one', 'two']), ['one']);
});

for (const [told, lines] of [
  ['nothing', []],
  ['subscriptions', ['stream all a: 1', 'stream all a: 0']],
] as const) {
  test(`a list of which ${told} is told can be asked all the same`, () => {
    const attendance = new LocalAttendance(seededRandom(1), told);
    const roll = new WrittenRoll();
    attendance.tell(roll);
    const one = attendance.arrive(arrival('stream', 'one'));
    one.join('a');
    one.active();
    attendance.requested('all');
    assert.deepEqual(attendance.connected(['one']), ['one']);
    one.leave();
    assert.deepEqual(roll.take(), lines);
  });
}

test('a request is activity, too', () => {
  const { attendance, roll } = list();
  attendance.requested('all');
  attendance.arrive(arrival('stream', 'one')).active();
  assert.deepEqual(roll.take(), [
    'requested all 1',
    'active all 1',
    'arrived one http all 192.0.2.1 http',
    'active all 1',
  ]);
});
