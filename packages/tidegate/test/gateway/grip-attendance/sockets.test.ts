import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalAttendance } from '../../../src/gateway/grip-attendance/local-attendance.ts';
import { seededRandom } from '../../../src/kernel/index.ts';
import { clock, eachTestHasAHub } from '../../support/hub-fixture.ts';
import { publishItem, SessionStage, type SessionStageOptions } from '../grip-websocket/session-stage.ts';
import { WrittenRoll } from './roll.ts';

// What WebSockets say of themselves to the list of who is there.

eachTestHasAHub();

function open(options: SessionStageOptions = {}) {
  const attendance = new LocalAttendance(seededRandom(1));
  const roll = new WrittenRoll();
  attendance.tell(roll);
  const stage = new SessionStage({ ...options, attendance });
  const [arrived] = roll.take();
  return { attendance, roll, stage, id: arrived.split(' ')[1], arrived };
}

test('a WebSocket is on the list with the channels that its origin subscribes it to', async () => {
  const { stage, roll, arrived, id } = open({ channelPrefix: 'pre-' });
  assert.equal(arrived, `arrived ${id} ws test 127.0.0.1 http`);
  await stage.subscribe('a');
  await stage.subscribe('b');
  await stage.control({ type: 'unsubscribe', channel: 'a' }, { type: 'unsubscribe', channel: 'a' });
  assert.deepEqual(roll.take(), ['ws test pre-a: 1', 'ws test pre-b: 1', 'ws test pre-a: 0']);
  stage.session.client.closed();
  assert.deepEqual(roll.take(), ['ws test pre-b: 0', `left ${id}`]);
});

test('a channel that is subscribed to anew does not seem to have had nobody', async () => {
  const { stage, roll } = open();
  await stage.subscribe('a');
  await stage.subscribe('a', { filters: ['skip-self'] });
  await stage.subscribe('a', { 'prev-id': 'unknown' });
  assert.deepEqual(roll.take().slice(0, 1), ['ws test a: 1']);
  assert.ok(!roll.lines.includes('ws test a: 0'));
});

test('channels that go on for a session, those of the route too, do not seem to have had nobody', async () => {
  const { stage, roll, id } = open({ routeChannels: ['all'] });
  await stage.subscribe('a');
  assert.deepEqual(roll.take(), ['ws test a: 1']);
  await stage.control({ type: 'session', id: 's1' }, { type: 'unsubscribe', channel: 'all' });
  await publishItem('all', 'one');
  await publishItem('a', 'two');
  assert.deepEqual(stage.frames(), ['text one', 'text two']);
  await stage.control({ type: 'session', id: null });
  await publishItem('all', 'three');
  assert.deepEqual(stage.frames(), ['text three']);
  assert.deepEqual(roll.take(), []);
  stage.session.client.closed();
  assert.deepEqual(roll.take(), ['ws test all: 0', 'ws test a: 0', `left ${id}`]);
});

test('a subscription that is refused is not on the list', async () => {
  const { stage, roll, id } = open();
  await stage.subscribe('a/#/b');
  assert.deepEqual(roll.take(), [`left ${id}`]);
});

test('the origin of a WebSocket is asked when somebody asks for it, and not after it has detached', async () => {
  const { stage, attendance, id } = open();
  assert.equal(attendance.refresh({ id }), 'found');
  assert.deepEqual(stage.origin.take(), ['refresh']);
  await stage.control({ type: 'detach' });
  assert.equal(attendance.refresh({ id }), 'found');
  assert.deepEqual(stage.origin.take(), ['detach']);
});

test('a keep-alive is activity', async () => {
  const { stage, roll } = open();
  await stage.control({ type: 'keep-alive', content: 'alive', timeout: 20 });
  await clock.advance(20_100);
  assert.deepEqual(stage.frames(), ['text alive']);
  assert.deepEqual(roll.take(), ['active test 1']);
});
