import assert from 'node:assert/strict';
import type { Buffer } from 'node:buffer';
import { test } from 'node:test';
import type { FrameEncoder, PublishedEvent } from '../../src/channels/index.ts';
import { clock, eachTestHasAHub, hub, send } from '../support/hub-fixture.ts';
import { lineEncoder } from '../support/line-encoder.ts';
import { event, publish, TestSubscriber } from '../support/test-hub.ts';

// Records that act on the connections that are there when they are published, and are nothing to anybody else.

eachTestHasAHub();

const control = (channel: string, text: string): PublishedEvent => ({
  ...event(channel, text),
  kind: 'control',
});

/** What was told, messages and controls in their order. */
class ControlTaker extends TestSubscriber {
  static override readonly encoder = (): FrameEncoder => ({ ...lineEncoder('taken'), controls: 'taken' });
  readonly told: string[] = [];

  override write(bytes: Buffer): boolean {
    const before = this.data.length;
    const room = super.write(bytes);
    this.told.push(...this.data.slice(before));
    return room;
  }

  control(text: string): void {
    this.told.push(`<${text}>`);
  }
}

async function act(channel: string, text: string): Promise<void> {
  const answer = publish(hub, control(channel, text));
  await clock.settle();
  await answer;
}

test('live members get a control record in its place among the messages of one turn', async () => {
  const subscriber = new ControlTaker(hub, 'chat');
  await clock.settle();
  const answer = publish(hub, event('chat', 'a'), control('chat', 'hint'), event('chat', 'b'));
  await clock.settle();
  await answer;
  assert.deepEqual(subscriber.told, ['a', '<hint>', 'b']);
});

test('a control record of another channel is not told', async () => {
  const subscriber = new ControlTaker(hub, 'chat');
  await clock.settle();
  await act('other', 'close');
  assert.deepEqual(subscriber.told, []);
});

test('a pattern takes the control records of all its channels', async () => {
  const subscriber = new ControlTaker(hub, 'orders/#');
  await clock.settle();
  await act('orders/1', 'one');
  await act('orders/2', 'two');
  assert.deepEqual(subscriber.told, ['<one>', '<two>']);
});

test('members that fell behind get it when they read there', async () => {
  const slow = new ControlTaker(hub, 'chat');
  const quick = new ControlTaker(hub, 'chat');
  await clock.settle();
  slow.room = false;
  await send('chat', 'a');
  await send('chat', 'b');
  await act('chat', 'hint');
  await send('chat', 'c');
  assert.deepEqual(slow.told, ['a']);
  slow.drain();
  await clock.settle();
  assert.deepEqual(slow.told, ['a', 'b', '<hint>', 'c']);
  assert.deepEqual(quick.told, slow.told);
});

test('those who come later do not get it, wherever they begin', async () => {
  await send('chat', 'a');
  await act('chat', 'close');
  await send('chat', 'b');
  for (const from of ['earliest', '-2', 'latest']) {
    const subscriber = new ControlTaker(hub, 'chat', from);
    await clock.settle();
    assert.equal(subscriber.told.includes('<close>'), false, from);
  }
});

test('those who resume get what they missed without it', async () => {
  const first = new ControlTaker(hub, 'chat');
  await clock.settle();
  await send('chat', 'a');
  const cursor = first.subscription.cursor();
  first.subscription.close();
  await send('chat', 'b');
  await act('chat', 'close');
  await send('chat', 'c');
  const resumed = new ControlTaker(hub, 'chat', { kind: 'cursor', cursor });
  await clock.settle();
  assert.deepEqual(resumed.told, ['b', 'c']);
  await act('chat', 'now');
  assert.deepEqual(resumed.told, ['b', 'c', '<now>']);
});

test('encoders that do not take control records never see them, live or from history', async () => {
  const live = new TestSubscriber(hub, 'chat');
  await clock.settle();
  await act('chat', 'close');
  await send('chat', 'a');
  const later = new TestSubscriber(hub, 'chat', 'earliest');
  await clock.settle();
  assert.deepEqual([live.data, later.data], [['a'], ['a']]);
  assert.equal(live.writes, 1);
});

test('a sink that takes control records but has no method for them goes on', async () => {
  const subscriber = new ControlTaker(hub, 'chat');
  Object.defineProperty(subscriber, 'control', { value: undefined });
  await clock.settle();
  await act('chat', 'close');
  await send('chat', 'a');
  assert.deepEqual(subscriber.told, ['a']);
});

test('a subscriber that closes itself at a control record gets nothing after it', async () => {
  const subscriber = new ControlTaker(hub, 'chat');
  const other = new ControlTaker(hub, 'chat');
  subscriber.control = (text) => {
    subscriber.told.push(`<${text}>`);
    subscriber.subscription.close();
  };
  await clock.settle();
  const answer = publish(hub, control('chat', 'close'), event('chat', 'a'));
  await clock.settle();
  await answer;
  assert.deepEqual(subscriber.told, ['<close>']);
  assert.deepEqual(other.told, ['<close>', 'a']);
});

test('a control record that is published again under its id acts once', async () => {
  const subscriber = new ControlTaker(hub, 'chat');
  await clock.settle();
  for (let times = 0; times < 2; times++) {
    const answer = publish(hub, { ...control('chat', 'hint'), clientId: '1' });
    await clock.settle();
    const [outcome] = await answer;
    assert.equal('duplicate' in outcome && outcome.duplicate, times === 1);
  }
  assert.deepEqual(subscriber.told, ['<hint>']);
});

test('renderings are told by Message.renderings only, and not among the attributes', async () => {
  const seen: unknown[] = [];
  const encoder: FrameEncoder = {
    ...lineEncoder('renderings'),
    message(message) {
      seen.push([message.renderings, message.attributes()]);
    },
  };
  const sink = { write: () => true, ended() {} };
  hub.subscribe({
    channels: ['chat'],
    from: { kind: 'latest' },
    encoder,
    sink,
    slowPolicy: 'resume',
    protocol: 'test',
  });
  await clock.settle();
  const answer = publish(hub, { ...event('chat', 'a', '1'), renderings: '{"x":1}' }, event('chat', 'b'));
  await clock.settle();
  await answer;
  assert.deepEqual(seen, [
    ['{"x":1}', [['id', '1']]],
    [undefined, []],
  ]);
});

test('subscriptions that want a channel are counted, patterns among them', async () => {
  assert.equal(hub.count('orders/1'), 0);
  const first = new TestSubscriber(hub, 'orders/1');
  new ControlTaker(hub, 'orders/1');
  new TestSubscriber(hub, ['orders/#', 'orders/1']);
  new TestSubscriber(hub, 'orders/2');
  await clock.settle();
  assert.equal(hub.count('orders/1'), 3);
  assert.equal(hub.count('chat'), 0);
  first.subscription.close();
  assert.equal(hub.count('orders/1'), 2);
});

test('what comes while a subscription catches up for the first time is told in its place, and nothing from before it', async () => {
  await send('chat', 'a');
  await act('chat', 'before');
  await send('chat', 'b');
  for (const channels of ['chat', '#']) {
    const subscriber = new ControlTaker(hub, channels, 'earliest');
    subscriber.room = false;
    await clock.settle();
    await act('chat', `hint ${channels}`);
    await send('chat', 'c');
    assert.deepEqual([subscriber.told, subscriber.caughtUpCalls], [['a'], 0]);
    subscriber.drain();
    await clock.settle();
    assert.deepEqual(subscriber.told.slice(-2), [`<hint ${channels}>`, 'c'], channels);
    assert.equal(subscriber.told.filter((text) => text.startsWith('<')).length, 1, channels);
    subscriber.subscription.close();
  }
});

test('one that takes the place of another is told from where that one was, if it says so', async () => {
  const first = new ControlTaker(hub, 'chat');
  await clock.settle();
  await send('chat', 'a');
  await act('chat', 'heard');
  const begin = first.subscription.cursor();
  first.room = false;
  await send('chat', 'b');
  const controlsFrom = first.subscription.cursor();
  await act('chat', 'hint');
  first.subscription.close();
  const second = new ControlTaker(hub, 'chat', { kind: 'cursor', cursor: begin }, 'resume', {
    controlsFrom,
  });
  await clock.settle();
  assert.deepEqual(first.told, ['a', '<heard>', 'b']);
  assert.deepEqual(second.told, ['b', '<hint>']);
});
