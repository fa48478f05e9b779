import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { GripPublisher } from '../../../src/gateway/grip/grip-publisher.ts';
import type {
  GripProcesses,
  RefreshOutcome,
  RefreshTarget,
} from '../../../src/gateway/grip-processes/port.ts';
import { Commands } from '../../../src/gateway/grip-zmq/commands.ts';
import { ZmqMetrics } from '../../../src/gateway/grip-zmq/zmq-metrics.ts';
import { noMetrics, resolveLimits } from '../../../src/kernel/index.ts';
import {
  decodeTnetstring,
  encodeTnetstring,
  type TnetInput,
  type TnetValue,
} from '../../../src/wire/grip/index.ts';
import { clock, eachTestHasAHub, hub } from '../../support/hub-fixture.ts';
import { TestSubscriber } from '../../support/test-hub.ts';

eachTestHasAHub();

const limits = resolveLimits();

/** What processes were asked, and whom they have. */
class Played implements GripProcesses {
  readonly ids = ['one', 'two'];
  readonly refreshed: RefreshTarget[] = [];
  recoveries = 0;

  connected(ids: readonly string[], done: (live: readonly string[]) => void): void {
    done(ids.filter((id) => this.ids.includes(id)));
  }

  refresh(target: RefreshTarget, done: (outcome: RefreshOutcome) => void): void {
    this.refreshed.push(target);
    done('id' in target && this.ids.includes(target.id) ? 'found' : 'not_found');
  }

  recover(): void {
    this.recoveries++;
  }
}

function stage(overrides: Parameters<typeof resolveLimits>[0] = {}) {
  const processes = new Played();
  const commands = new Commands({
    publisher: new GripPublisher({ receivers: hub, clock, limits, metrics: noMetrics }),
    publishAs: hub,
    processes,
    uris: () => ({ command: 'tcp://127.0.0.1:5563', 'publish-pull': 'tcp://127.0.0.1:5560' }),
    limits: resolveLimits(overrides),
    metrics: new ZmqMetrics(noMetrics),
  });
  const replies: Record<string, unknown>[] = [];
  return {
    processes,
    /** Sends frames, and returns the answers so far. */
    send(...frames: readonly Buffer[]): Record<string, unknown>[] {
      commands.reply(frames, (answer) =>
        replies.push(plain(decodeTnetstring(answer, limits)) as Record<string, unknown>),
      );
      return replies;
    },
    ask(method: string, args?: TnetInput) {
      return this.send(
        encodeTnetstring({ id: '7', method, ...(args !== undefined && { args }) } as TnetInput),
      );
    },
    replies,
  };
}

/** Byte strings as text. */
function plain(value: TnetValue): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, plain(member as TnetValue)]),
  );
}

const DONE = { id: '7', success: true, value: null };
const BAD = { id: '7', success: false, condition: 'bad-request' };

test('publish is answered once the items are stored', async () => {
  const { ask, send, replies } = stage();
  const subscriber = new TestSubscriber(hub, 'a');
  await clock.settle();
  ask.call({ send }, 'publish', { items: [{ channel: 'a', 'ws-message': { content: 'hello' } }] });
  assert.deepEqual(replies, []);
  await clock.settle();
  assert.deepEqual([replies, subscriber.data], [[DONE], ['hello']]);
});

test('items that are invalid are refused with the reason, and none is published', async () => {
  const it = stage({ batchEventsMax: 2 });
  const subscriber = new TestSubscriber(hub, 'a');
  const good = { channel: 'a', 'ws-message': { content: 'hello' } };
  it.ask('publish', { items: [good, { channel: 'a' }] });
  it.ask('publish', { items: 'none' });
  it.ask('publish');
  it.ask('publish', { items: [good, good, good] });
  await clock.settle();
  const said = it.replies.map(({ condition, value }) => `${condition} ${value}`);
  assert.match(said[0], /^bad-request Invalid format: items\[1\]: formats has none of/);
  assert.match(said[1], /^bad-request Invalid format: It is not an object with an array "items"/);
  assert.equal(said[2], said[1]);
  assert.match(said[3], /^bad-request Invalid format: There are 3 items; the limit is 2/);
  assert.deepEqual(subscriber.data, []);
});

test('an item that may not be stored is told', async () => {
  const it = stage();
  it.ask('publish', { items: [{ channel: '_resources', 'ws-message': { content: 'hello' } }] });
  await clock.settle();
  assert.equal(it.replies[0].condition, 'bad-request');
  assert.match(String(it.replies[0].value), /_resources/);
});

test('conncheck answers with the ids that are there', () => {
  const it = stage();
  it.ask('conncheck', { ids: ['two', 'nobody'] });
  it.ask('conncheck', { ids: [] });
  it.ask('conncheck', { ids: [1] });
  it.ask('conncheck', { ids: 'two' });
  it.ask('conncheck');
  assert.deepEqual(it.replies, [{ ...DONE, value: ['two'] }, { ...DONE, value: [] }, BAD, BAD, BAD]);
});

test('refresh asks the origin of a connection, or of all in a channel', () => {
  const it = stage();
  it.ask('refresh', { cid: 'one' });
  it.ask('refresh', { cid: 'nobody' });
  it.ask('refresh', { channel: 'a' });
  it.ask('refresh', { cid: 1 });
  it.ask('refresh', { cid: 2, channel: 'a' });
  it.ask('refresh', {});
  assert.deepEqual(it.replies, [DONE, { ...BAD, condition: 'item-not-found' }, DONE, BAD, BAD, BAD]);
  assert.deepEqual(it.processes.refreshed, [{ id: 'one' }, { id: 'nobody' }, { channel: 'a' }]);
});

test('other processes are not asked about what cannot be', () => {
  const it = stage({ channelBytesMax: 10 });
  it.ask('conncheck', { ids: ['one', 'x'.repeat(65), '"', ''] });
  it.ask('refresh', { cid: 'x'.repeat(65) });
  it.ask('refresh', { channel: 'x'.repeat(11) });
  assert.deepEqual(it.replies, [{ ...DONE, value: ['one'] }, { ...BAD, condition: 'item-not-found' }, DONE]);
  assert.deepEqual(it.processes.refreshed, []);
});

test('recover is for all processes', () => {
  const it = stage();
  it.ask('recover');
  assert.deepEqual([it.replies, it.processes.recoveries], [[DONE], 1]);
});

test('get-zmq-uris has the sockets that there are', () => {
  const it = stage();
  it.ask('get-zmq-uris');
  const value = { command: 'tcp://127.0.0.1:5563', 'publish-pull': 'tcp://127.0.0.1:5560' };
  assert.deepEqual(it.replies, [{ ...DONE, value }]);
});

test('a method that does not exist is told, also one that every object has', () => {
  const it = stage();
  it.ask('what');
  it.ask('constructor');
  assert.deepEqual(
    it.replies.map(({ condition }) => condition),
    ['method-not-found', 'method-not-found'],
  );
});

test('an id is not needed', () => {
  const it = stage();
  it.send(encodeTnetstring({ method: 'recover' }));
  assert.deepEqual(it.replies, [{ success: true, value: null }]);
});

for (const [what, frames] of [
  ['bytes that are no tnetstring', [Buffer.from('bad')]],
  ['something that is no object', [encodeTnetstring(['recover'])]],
  ['a command without a method', [encodeTnetstring({ id: '7' })]],
  ['a method that is no text', [encodeTnetstring({ id: '7', method: 1 })]],
  ['an id that is no text', [encodeTnetstring({ id: 7, method: 'recover' })]],
  ['args that are no object', [encodeTnetstring({ id: '7', method: 'recover', args: 'none' })]],
  ['two frames', [encodeTnetstring({ method: 'recover' }), Buffer.from('more')]],
] as const) {
  test(`${what}: an answer says so, as whoever asks waits for one`, () => {
    const it = stage();
    const [reply] = it.send(...frames);
    assert.deepEqual([reply.success, reply.condition], [false, 'bad-request']);
    assert.match(String(reply.value), /^Invalid format: /);
    assert.equal(it.processes.recoveries, 0);
  });
}
