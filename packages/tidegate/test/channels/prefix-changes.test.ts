import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChannelMap } from '../../src/channels/channel-map.ts';
import { noMetrics, resolveLimits, seededRandom, silentLogger, systemClock } from '../../src/kernel/index.ts';
import { openMemoryLog } from '../../src/log/index.ts';
import { clock, eachTestHasAHub, hub, log, send } from '../support/hub-fixture.ts';
import { TestSubscriber, topicSpec } from '../support/test-hub.ts';

eachTestHasAHub();

const openLog = () =>
  openMemoryLog({
    clock: systemClock,
    random: seededRandom(7),
    logger: silentLogger,
    metrics: noMetrics,
    limits: resolveLimits(),
  });

test('prefixes count once their topic is there, and no longer than it is', async () => {
  const other = openLog();
  await other.createTopic(topicSpec('default'));
  const map = new ChannelMap(other, new Map());
  assert.deepEqual([...map.setPrefixes(new Map([['chat', ['chat:']]]))], ['chat']);
  assert.equal(map.addressOf('chat:1').topic, 'default');
  await other.createTopic(topicSpec('chat'));
  assert.deepEqual(map.addressOf('chat:1'), { topic: 'chat', key: 'chat:1' });
  await other.deleteTopic('chat');
  assert.equal(map.addressOf('chat:1').topic, 'default');
  await other.close();
});

test('only the topics whose prefixes differ have changed', () => {
  const map = new ChannelMap(
    openLog(),
    new Map([
      ['a', ['a:']],
      ['b', ['b:']],
    ]),
  );
  assert.deepEqual(
    [
      ...map.setPrefixes(
        new Map([
          ['a', ['a:']],
          ['b', ['b:', 'c:']],
        ]),
      ),
    ],
    ['b'],
  );
  assert.deepEqual([...map.setPrefixes(new Map([['b', ['b:', 'c:']]]))], ['a']);
  assert.deepEqual([...map.setPrefixes(new Map([['b', ['b:', 'c:']]]))], []);
});

test('a hub takes other prefixes while it runs: who reads what they move is told to come again', async () => {
  const moved = new TestSubscriber(hub, 'chat:1');
  const renamed = new TestSubscriber(hub, 'chat/#');
  const other = new TestSubscriber(hub, 'orders/1');
  await clock.settle();
  hub.setPrefixes(new Map([['chat', ['chat:']]]));
  await clock.settle();
  assert.deepEqual([moved.endReason, other.endReason], [null, null]);
  await clock.run(log.createTopic(topicSpec('chat')));
  const [receipt] = await send('chat:1', 'a');
  assert.ok(receipt.cursor.startsWith('chat~'));
  assert.deepEqual(
    [moved.endReason, renamed.endReason, other.endReason],
    ['topics_changed', 'topics_changed', null],
  );
  const again = new TestSubscriber(hub, 'chat:1', 'earliest');
  const byName = new TestSubscriber(hub, 'chat/#');
  await clock.settle();
  assert.deepEqual(again.data, ['a']);
  // The same topics are read, but under other names.
  hub.setPrefixes(new Map([['chat', ['chat:', 'talk:']]]));
  await clock.settle();
  assert.equal(byName.endReason, 'topics_changed');
  assert.equal(other.endReason, null);
});
