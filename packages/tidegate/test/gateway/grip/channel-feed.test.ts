import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import type { EndReason, Sink, SubscribeRequest, Subscription } from '../../../src/channels/index.ts';
import { ChannelFeed, type FeedHost, type FeedOptions } from '../../../src/gateway/grip/channel-feed.ts';
import { HoldEncoders } from '../../../src/gateway/grip/hold-encoders.ts';
import {
  readStreamFrame,
  type StreamFrame,
  writeStreamFrame,
} from '../../../src/gateway/grip/hold-frames.ts';
import { eventsOf } from '../../../src/gateway/grip/item-events.ts';
import type { StoredItem } from '../../../src/gateway/grip/stored-item.ts';
import { ByteWriter, resolveLimits, silentLogger } from '../../../src/kernel/index.ts';
import { clock, eachTestHasAHub, hub, log } from '../../support/hub-fixture.ts';
import { event, publish, topicSpec } from '../../support/test-hub.ts';
import { item } from './items.ts';

eachTestHasAHub();

const limits = resolveLimits({ gripRecoveryMessagesMax: 5 });

/** A hold that writes down what it is told. */
class Recorder implements FeedHost<StreamFrame> {
  readonly told: string[] = [];
  room = true;
  readonly feed: ChannelFeed<StreamFrame>;

  constructor(options: Partial<FeedOptions<StreamFrame>> = {}, looks: 'looks' | 'passes on' = 'passes on') {
    const encoders = new HoldEncoders(limits);
    this.feed = new ChannelFeed<StreamFrame>({
      channel: 'chat',
      name: 'chat',
      prevId: null,
      from: { kind: 'latest' },
      frames: encoders.streamFrames('raw'),
      readFrame: readStreamFrame,
      bytes: looks === 'looks' ? null : encoders.stream('close', 'raw'),
      host: this,
      context: { channels: hub, limits, logger: silentLogger },
      ...options,
    });
    this.feed.start();
  }

  write(bytes: Buffer): boolean {
    this.told.push(String(bytes));
    return this.room;
  }

  item(frame: StreamFrame): boolean {
    this.told.push(`${frame.id}:${frame.content}`);
    return this.room;
  }

  signal({ formats }: StoredItem): void {
    this.told.push(`<${formats.httpStream?.action}>`);
  }

  missed(): void {
    this.told.push('missed');
  }

  feedEnded(reason: EndReason): void {
    this.told.push(`ended ${reason}`);
  }
}

const content = (id: string) => eventsOf(item({ channel: 'chat', id, 'http-stream': { content: id } }));
const signal = (action: string) => eventsOf(item({ channel: 'chat', 'http-stream': { action } }));

async function send(...ids: string[]): Promise<void> {
  const answer = publish(
    hub,
    ...ids.flatMap((id) => (id.startsWith('<') ? signal(id.slice(1, -1)) : content(id))),
  );
  await clock.settle();
  await answer;
}

test('a feed without prev-id hands on what comes after it has begun', async () => {
  await send('0');
  const { feed, told } = new Recorder();
  feed.open();
  await clock.settle();
  await send('1', '<hint>', '2');
  assert.deepEqual(told, ['1', '<hint>', '2']);
  assert.equal(feed.knowsLastId, false);
});

test('a feed that looks at items knows their ids', async () => {
  const { feed, told } = new Recorder({}, 'looks');
  feed.open();
  await clock.settle();
  await send('1', '2');
  assert.deepEqual([told, feed.lastId, feed.knowsLastId], [['1:1', '2:2'], '2', true]);
});

test('while its gate is shut nothing is handed on, and afterwards all of it', async () => {
  const { feed, told } = new Recorder();
  await clock.settle();
  const begin = feed.cursor;
  await send('1');
  await send('2', '3');
  assert.deepEqual([told, feed.cursor], [[], begin]);
  feed.open();
  await clock.settle();
  assert.equal(told.join(' '), '1 23');
  feed.shut();
  const shutAt = feed.cursor;
  await send('4');
  assert.equal(feed.cursor, shutAt);
  feed.open();
  await clock.settle();
  await send('5');
  assert.equal(told.join(' '), '1 23 4 5');
});

test('what comes while there is no room comes once there is', async () => {
  const host = new Recorder();
  host.feed.open();
  await clock.settle();
  host.room = false;
  await send('1');
  await send('2');
  assert.deepEqual(host.told, ['1']);
  host.room = true;
  host.feed.drained();
  await clock.settle();
  assert.deepEqual(host.told, ['1', '2']);
});

test('a feed begins at the message that follows the one with its prev-id, where that was never there or is there no longer', async () => {
  const following = (id: number) =>
    eventsOf(
      item({
        channel: 'chat',
        id: String(id),
        'prev-id': String(id - 1),
        'http-stream': { content: String(id) },
      }),
    );
  const send = async (...ids: number[]): Promise<void> => {
    const answer = publish(hub, ...ids.flatMap(following));
    await clock.settle();
    await answer;
  };
  await send(1, 2);
  const first = new Recorder({ prevId: '0' });
  first.feed.open();
  await clock.settle();
  assert.deepEqual(first.told, ['1:1', '2:2']);
  // The oldest that is looked at is 3.
  await send(3, 4, 5, 6, 7);
  const gone = new Recorder({ prevId: '2' });
  gone.feed.open();
  const missed = new Recorder({ prevId: '1' });
  missed.feed.open();
  await clock.settle();
  assert.deepEqual(gone.told, ['3:3', '4:4', '5:5', '6:6', '7:7']);
  assert.deepEqual(missed.told, ['missed']);
});

test('a feed begins behind the message with its prev-id, and then passes on what all share', async () => {
  await send('1', '2', '3');
  const { feed, told } = new Recorder({ prevId: '1' });
  feed.open();
  await clock.settle();
  assert.deepEqual(told, ['2:2', '3:3']);
  await send('4');
  assert.deepEqual([told.at(-1), feed.knowsLastId], ['4', false]);
});

test('nothing is lost or repeated where it goes over to what all share, whenever that is', async () => {
  for (let ticks = 0; ticks < 8; ticks++) {
    await send(`before ${ticks}`);
    const { feed, told } = new Recorder({ prevId: `before ${ticks}` });
    feed.open();
    for (let tick = 0; tick < ticks; tick++) await clock.tick();
    const events = ['a', '<hint>', 'b', '<close>'].flatMap((each) =>
      each.startsWith('<') ? signal(each.slice(1, -1)) : content(`${each}${ticks}`),
    );
    for (const each of events) {
      hub.publish([each], 'test', () => {});
      await clock.tick();
    }
    await clock.settle();
    const texts = told.filter((text) => !text.startsWith('<')).map((text) => text.split(':').at(-1));
    assert.equal(texts.join(''), `a${ticks}b${ticks}`, `after ${ticks} ticks: ${told}`);
    feed.close();
  }
});

/** Channels of which the test plays every part. */
class ScriptedChannels {
  readonly sinks: Sink[] = [];
  readonly cursors: (string | null)[] = [];
  readonly closed: number[] = [];

  readonly waiting: (() => void)[] = [];
  hasReached = true;

  publish(): void {}

  drain(): void {}

  reach(_channels: readonly string[], footing: () => unknown, ready: () => void): void {
    assert.equal(footing(), 'everything');
    if (this.hasReached) ready();
    else this.waiting.push(ready);
  }

  subscribe({ sink, from }: SubscribeRequest): Subscription {
    const index = this.sinks.push(sink) - 1;
    this.cursors.push(from.kind === 'cursor' ? from.cursor : null);
    return { drained() {}, cursor: () => `cursor ${index}`, close: () => this.closed.push(index) };
  }
}

test('what comes while it goes over is told once, messages by the new subscription and then the signals', () => {
  const channels = new ScriptedChannels();
  const host = new Recorder({ prevId: '1', context: { channels, limits, logger: silentLogger } });
  const { feed, told } = host;
  const { sinks } = channels;
  feed.open();
  const frames = new ByteWriter();
  writeStreamFrame(frames, { id: '1', prevId: null, channel: 'chat', offset: 0, meta: new Map() }, null);
  sinks[0].write(frames.take(), 1);
  sinks[0].caughtUp?.();
  assert.deepEqual([channels.cursors, channels.closed], [[null, 'cursor 0'], []]);
  assert.equal(feed.cursor, 'cursor 1');
  sinks[0].control?.(String(signal('hint')[0].data));
  assert.equal(sinks[0].write(Buffer.from('a frame'), 1), true);
  sinks[1].write(Buffer.from('bytes'), 1);
  assert.deepEqual(told, ['bytes']);
  sinks[1].caughtUp?.();
  assert.deepEqual([told, channels.closed], [['bytes', '<hint>'], [0]]);
  sinks[1].control?.(String(signal('close')[0].data));
  assert.deepEqual(told, ['bytes', '<hint>', '<close>']);
});

/** Items of which each names the one before it. */
const chained = (...ids: [id: string, prevId: string][]) =>
  ids.flatMap(([id, prevId]) =>
    eventsOf(item({ channel: 'chat', id, 'prev-id': prevId, 'http-stream': { content: id } })),
  );

async function sendChained(...ids: [id: string, prevId: string][]): Promise<void> {
  const answer = publish(hub, ...chained(...ids));
  await clock.settle();
  await answer;
}

test('what the client has already, as its origin said before it came, is not handed on, and what follows is', async () => {
  const { feed, told } = new Recorder({ expects: '3' });
  feed.open();
  await clock.settle();
  await sendChained(['3', '2'], ['4', '3']);
  await sendChained(['5', '4']);
  assert.deepEqual(told, ['4:4', '5']);
});

test('the successor of what the client has is handed on, whether that has come or not', async () => {
  const { feed, told } = new Recorder({ expects: '3' });
  feed.open();
  await clock.settle();
  await sendChained(['4', '3']);
  await sendChained(['5', '4']);
  assert.deepEqual(told, ['4:4', '5']);
});

test('an item that does not say what it follows is handed on', async () => {
  const { feed, told } = new Recorder({ expects: '3' });
  feed.open();
  await clock.settle();
  await send('x');
  await send('y');
  assert.deepEqual(told, ['x:x', 'y']);
});

test('of any other item only the origin knows whether the client has it, but what follows nothing is not lost', async () => {
  const { feed, told } = new Recorder({ expects: '3' });
  feed.open();
  await clock.settle();
  const answer = publish(hub, ...chained(['2', '1']), ...content('plain'), ...chained(['3', '2']));
  await clock.settle();
  await answer;
  assert.deepEqual([told, feed.lastId], [['plain:plain', 'missed'], '3']);
});

test('in a channel without messages, too, what comes first may be what the client has', async () => {
  const { feed, told } = new Recorder({ prevId: '2' });
  feed.open();
  await clock.settle();
  await sendChained(['2', '1'], ['3', '2']);
  assert.deepEqual(told, ['3:3']);
});

test('in a process that may not have heard of the message yet, a feed with prev-id waits until it has', () => {
  const channels = new ScriptedChannels();
  channels.hasReached = false;
  const context = { channels, limits, logger: silentLogger };
  const [first, second] = [new Recorder({ prevId: '1', context }), new Recorder({ prevId: '1', context })];
  new Recorder({ context });
  first.feed.open();
  second.feed.close();
  assert.deepEqual([channels.sinks.length, first.feed.cursor], [1, '']);
  for (const ready of channels.waiting) ready();
  assert.deepEqual([channels.sinks.length, first.feed.cursor], [2, 'cursor 1']);
});

test('a feed that is refused when it is its turn says so', () => {
  const channels = new ScriptedChannels();
  channels.hasReached = false;
  const { told } = new Recorder({ prevId: '1', context: { channels, limits, logger: silentLogger } });
  channels.subscribe = () => {
    throw new Error('draining');
  };
  channels.waiting[0]();
  assert.deepEqual(told, ['ended failed']);
});

test('a prev-id that is not among the latest was missed; nothing comes then, and its cursor is behind all that was there', async () => {
  await send('1', '2', '3', '4', '5', '6', '7');
  const { feed, told } = new Recorder({ prevId: '2' });
  feed.open();
  await clock.settle();
  await send('8');
  assert.deepEqual([told, feed.lastId], [['missed'], '2']);
  const { feed: next, told: rest } = new Recorder({ from: { kind: 'cursor', cursor: feed.cursor } });
  feed.close();
  next.open();
  await clock.settle();
  assert.deepEqual(rest, ['8']);
});

test('with its prev-id the oldest of the latest that are looked at, nothing was missed', async () => {
  await send('1', '2', '3', '4', '5', '6', '7');
  const { feed, told } = new Recorder({ prevId: '3' }, 'looks');
  feed.open();
  await clock.settle();
  assert.deepEqual(told, ['4:4', '5:5', '6:6', '7:7']);
});

test('other messages without GRIP forms count, too', async () => {
  const answer = publish(hub, event('chat', 'plain', 'p'), ...content('2'));
  await clock.settle();
  await answer;
  const { feed, told } = new Recorder({ prevId: 'p' }, 'looks');
  feed.open();
  await clock.settle();
  assert.deepEqual(told, ['2:2']);
});

test('in a channel without messages nothing was missed', async () => {
  const { feed, told } = new Recorder({ prevId: '2' });
  feed.open();
  await clock.settle();
  await send('3');
  assert.deepEqual(told, ['3:3']);
});

test('control records do not count as messages that were missed', async () => {
  await send('<hint>');
  const { feed, told } = new Recorder({ prevId: '2' });
  feed.open();
  await clock.settle();
  assert.deepEqual(told, []);
  assert.equal(feed.cursor === '', false);
});

test('a closed feed is told nothing', async () => {
  const { feed, told } = new Recorder();
  await send('1');
  feed.close();
  feed.open();
  await send('2');
  hub.drain();
  assert.deepEqual(told, []);
});

test('a feed that closes itself in the midst of what it is handed gets nothing more of it', async () => {
  const host = new Recorder({}, 'looks');
  host.item = (frame) => {
    host.told.push(frame.id);
    host.feed.close();
    return true;
  };
  host.feed.open();
  await clock.settle();
  await send('1', '2');
  assert.deepEqual(host.told, ['1']);
});

test('if the channel is stored elsewhere from now on, it goes on there, also with its gate shut', async () => {
  const [open, shut] = [new Recorder(), new Recorder()];
  open.feed.open();
  await clock.settle();
  await send('1');
  await clock.run(log.createTopic(topicSpec('chat')));
  await send('2');
  shut.feed.open();
  await clock.settle();
  assert.deepEqual([open.told, shut.told], [['1', '2'], ['12']]);
});

test('a control record that cannot be read is passed over', async () => {
  const { feed, told } = new Recorder();
  feed.open();
  await clock.settle();
  const answer = publish(hub, { ...event('chat', 'nonsense'), kind: 'control' }, ...content('1'));
  await clock.settle();
  await answer;
  assert.deepEqual(told, ['1']);
});

test('when the hub drains, it says so once', async () => {
  await send('1');
  const { feed, told } = new Recorder({ prevId: '1' });
  feed.open();
  await clock.tick();
  hub.drain();
  assert.deepEqual(told, ['ended draining']);
});
