import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Channels, SubscribeRequest } from '../../../src/channels/index.ts';
import { HoldEncoders } from '../../../src/gateway/grip/hold-encoders.ts';
import { LastIds, lastIdField } from '../../../src/gateway/grip/last-ids.ts';
import { resolveLimits } from '../../../src/kernel/index.ts';
import { clock, eachTestHasAHub, hub } from '../../support/hub-fixture.ts';
import { event, publish } from '../../support/test-hub.ts';

eachTestHasAHub();

const frames = new HoldEncoders(resolveLimits()).streamFrames('raw');

async function send(channel: string, ...ids: string[]): Promise<string[]> {
  const answer = publish(hub, ...ids.map((id) => event(channel, id, id)));
  await clock.settle();
  return (await answer).map((outcome) => ('cursor' in outcome ? outcome.cursor : ''));
}

async function find(lastIds: LastIds, channel: string, cursor: string): Promise<string | null> {
  const found: (string | null)[] = [];
  lastIds.find(channel, cursor, (id) => found.push(id));
  assert.deepEqual(found, []);
  await clock.settle();
  await Promise.resolve();
  assert.equal(found.length, 1);
  return found[0];
}

test('the last id before a position is found, whatever came later', async () => {
  const lastIds = new LastIds(hub, frames);
  const cursors = await send('chat', '1', '2', '3');
  await send('other', 'x');
  assert.equal(await find(lastIds, 'chat', cursors[1]), '2');
  assert.equal(await find(lastIds, 'chat', cursors[2]), '3');
});

test('where there is none, or no single position, there is no id', async () => {
  const lastIds = new LastIds(hub, frames);
  const [cursor] = await send('other', 'x');
  await send('chat', '1');
  assert.equal(await find(lastIds, 'chat', cursor), null);
  assert.equal(await find(lastIds, 'chat/+', cursor), null);
  assert.equal(await find(lastIds, 'chat', ''), null);
  assert.equal(await find(lastIds, '_own', cursor), null);
});

test('those who ask for the same at the same time are answered by one look', async () => {
  const [cursor] = await send('chat', '1');
  let looks = 0;
  const counting: Channels = {
    publish: (...call) => hub.publish(...call),
    reach: (...call) => hub.reach(...call),
    drain: () => hub.drain(),
    subscribe: (request: SubscribeRequest) => {
      looks++;
      return hub.subscribe(request);
    },
  };
  const lastIds = new LastIds(counting, frames);
  const found: (string | null)[] = [];
  for (let times = 0; times < 3; times++) lastIds.find('chat', cursor, (id) => found.push(id));
  await clock.settle();
  assert.deepEqual([found, looks], [['1', '1', '1'], 1]);
  assert.equal(await find(lastIds, 'chat', cursor), '1');
  assert.equal(looks, 2);
});

test('names and ids that need it are quoted in Grip-Last', () => {
  assert.equal(lastIdField('news', '5'), 'news; last-id=5');
  assert.equal(lastIdField('a;b', 'x"y'), '"a;b"; last-id="x\\"y"');
  assert.equal(lastIdField('news', 'a\r\nb'), null);
});
