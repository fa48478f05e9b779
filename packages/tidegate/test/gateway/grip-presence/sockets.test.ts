import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachTestHasAHub } from '../../support/hub-fixture.ts';
import { SessionStage, type SessionStageOptions } from '../grip-websocket/session-stage.ts';
import { WrittenList } from './written-list.ts';

// Who is present by a WebSocket.

eachTestHasAHub();

function open(options: SessionStageOptions = {}): { stage: SessionStage; present: WrittenList } {
  const present = new WrittenList();
  return { present, stage: new SessionStage({ ...options, present: present.list }) };
}

const isUser = (value?: string) => ({ type: 'set-meta', name: 'user', value });

test('a WebSocket is present in its channels, the route’s too, from when it has a user until it is gone', async () => {
  const { stage, present } = open({ channelPrefix: 'pre-', routeChannels: ['all'], connectionId: 'c1' });
  await stage.subscribe('a');
  await stage.subscribe('b/#');
  await stage.control({ type: 'set-meta', name: 'name', value: 'ann' });
  assert.deepEqual(present.take(), []);
  await stage.control(isUser('ann'));
  assert.deepEqual(present.take(), ['ann joins pre-all', 'ann joins pre-a']);
  await stage.subscribe('c');
  await stage.subscribe('c', { filters: ['skip-self'] });
  await stage.control({ type: 'unsubscribe', channel: 'a' }, { type: 'unsubscribe', channel: 'all' });
  assert.deepEqual(present.take(), ['ann joins pre-c', 'ann leaves pre-a']);
  await stage.control({ type: 'session', id: 's1' }, isUser('ann'));
  assert.deepEqual(present.take(), []);
  stage.drop();
  assert.deepEqual(present.take(), ['ann leaves pre-all', 'ann leaves pre-c']);
  assert.deepEqual([...present.clients], ['c1']);
});

test('another user takes the place of the one before, who leaves first; without a user nobody is there', async () => {
  const { stage, present } = open();
  await stage.control(isUser('ann'));
  await stage.subscribe('a');
  await stage.control(isUser('bob'));
  assert.deepEqual(present.take(), ['ann joins a', 'ann leaves a', 'bob joins a']);
  assert.equal(present.clients.size, 1);
  await stage.control(isUser());
  assert.deepEqual(present.take(), ['bob leaves a']);
  await stage.subscribe('b');
  stage.drop();
  assert.deepEqual(present.take(), []);
});

test('a WebSocket whose origin has left stays present', async () => {
  const { stage, present } = open();
  await stage.control(isUser('ann'));
  await stage.subscribe('a');
  await stage.control({ type: 'detach' });
  assert.deepEqual(present.take(), ['ann joins a']);
  stage.drop();
  assert.deepEqual(present.take(), ['ann leaves a']);
});

test('a WebSocket that is being closed is present no more, whatever its origin still says', async () => {
  const { stage, present } = open();
  await stage.control(isUser('ann'));
  await stage.subscribe('a');
  stage.session.published({ action: 'close', code: 1000, reason: '' });
  assert.deepEqual(present.take(), ['ann joins a', 'ann leaves a']);
  await stage.subscribe('b');
  await stage.control(isUser('bob'));
  stage.drop();
  assert.deepEqual(present.take(), []);
});

test('a subscription that is refused is not present', async () => {
  const { stage, present } = open();
  await stage.control(isUser('ann'));
  await stage.subscribe('a/#/b');
  assert.deepEqual(present.lines, []);
});
