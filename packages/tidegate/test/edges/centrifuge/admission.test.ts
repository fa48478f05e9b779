import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Share } from '../../../src/access/port.ts';
import { PLAIN_OPTIONS } from '../../../src/edges/centrifuge/subscribe-options.ts';
import { clock, eachTestHasAHub, hub, send } from '../../support/hub-fixture.ts';
import { type LabSettings, SessionLab, TestClient } from './session-lab.ts';
import { TableAccess, type TableEntry } from './table-access.ts';

/*
 * Where another process counts what limits bound, a client is let in, and its subscriptions are opened, only later.
 */

eachTestHasAHub();

/** Admits when the test says so. */
class LaterAccess extends TableAccess {
  readonly asked: { readonly share: Share; readonly times: number; readonly ready: () => void }[] = [];

  override admit(...[, share, times, ready]: Parameters<TableAccess['admit']>): void {
    if (times === 0) ready();
    else this.asked.push({ share, times, ready });
  }

  /** Lets the first in line have what it asked for. */
  async next(): Promise<void> {
    this.asked.shift()?.ready();
    await clock.settle();
  }
}

class LaterLab extends SessionLab {
  readonly later: LaterAccess;

  constructor(table: Readonly<Record<string, TableEntry>> = {}, settings: LabSettings = {}) {
    super(settings);
    this.later = new LaterAccess(hub, table);
  }

  override arrive(): TestClient {
    return new TestClient({ ...this.context, access: this.later });
  }

  /** A client that is connected. */
  async connected(): Promise<TestClient> {
    const client = this.arrive();
    client.sendText('{"id":1,"connect":{}}');
    await this.later.next();
    client.take();
    return client;
  }
}

const kindsOf = (replies: readonly object[]): string[] =>
  replies.map((reply) => Object.keys(reply).filter((key) => key !== 'id')[0]);

test('commands that follow wait, and are answered in order', async () => {
  const lab = new LaterLab();
  const client = lab.arrive();
  const commands = [
    { id: 1, connect: {} },
    { id: 2, subscribe: { channel: 'a' } },
    { id: 3, publish: { channel: 'a', data: {} } },
    { id: 4, unsubscribe: { channel: 'a' } },
  ];
  assert.deepEqual(await client.ask(...commands), []);
  assert.equal(lab.later.asked.length, 1);
  assert.deepEqual(lab.later.asked[0].share, { connections: 1, subscriptions: 0 });
  await lab.later.next();
  assert.deepEqual(kindsOf(client.take()), ['connect']);
  assert.deepEqual(lab.later.asked[0].share, { connections: 0, subscriptions: 1 });
  await lab.later.next();
  assert.deepEqual(kindsOf(client.take()), ['subscribe', 'publish', 'unsubscribe']);
  assert.equal(client.ended, null);
});

test('a client that is gone meanwhile is let into nothing', async () => {
  const lab = new LaterLab();
  const early = lab.arrive();
  early.sendText('{"id":1,"connect":{}}');
  early.session.closed();
  await lab.later.next();
  assert.equal(lab.context.clients.size, 0);
  const client = await lab.connected();
  client.sendText('{"id":2,"subscribe":{"channel":"a"}}');
  client.session.closed();
  await lab.later.next();
  assert.equal(client.session.subscriptions.get('a'), undefined);
  await send('a', '{}');
  assert.deepEqual([early.take(), client.take()], [[], []]);
});

test('a subscription that is refused anyway is not asked about', async () => {
  const lab = new LaterLab({ reader: { allow: { a: ['subscribe'] } } });
  const client = lab.arrive();
  client.sendText('{"id":1,"connect":{"token":"reader"}}');
  await lab.later.next();
  client.take();
  const [reply] = await client.ask({ id: 2, subscribe: { channel: 'b' } });
  assert.deepEqual(reply, { id: 2, error: { code: 103, message: 'permission denied' } });
  assert.equal(lab.later.asked.length, 0);
});

test('the channels that a token names are asked about together, and are there when the client is told', async () => {
  const lab = new LaterLab({ claimed: { claims: { channels: ['a', 'b'] } } });
  const client = lab.arrive();
  client.sendText('{"id":1,"connect":{"token":"claimed"}}');
  await lab.later.next();
  assert.deepEqual(
    lab.later.asked.map(({ share, times }) => [share.subscriptions, times]),
    [[1, 2]],
  );
  assert.deepEqual(client.take(), []);
  await lab.later.next();
  const [{ connect }] = client.take();
  assert.deepEqual(Object.keys((connect as { subs: object }).subs), ['a', 'b']);
});

test('a subscription from the server is begun once it is admitted', async () => {
  const lab = new LaterLab();
  const client = await lab.connected();
  let answers = 0;
  const answer = (): void => {
    answers++;
  };
  client.session.subscribeByServer('a', PLAIN_OPTIONS, answer);
  assert.equal(client.session.subscriptions.get('a'), undefined);
  assert.equal(answers, 0);
  await lab.later.next();
  assert.equal(answers, 1);
  assert.notEqual(client.session.subscriptions.get('a'), undefined);
  assert.deepEqual(kindsOf(client.take()), ['push']);
});

test('a subscription from the server is not waited for when the client has gone meanwhile', async () => {
  const lab = new LaterLab();
  const client = await lab.connected();
  let answers = 0;
  client.session.subscribeByServer('a', PLAIN_OPTIONS, () => {
    answers++;
  });
  client.session.closed();
  await lab.later.next();
  assert.equal(answers, 1);
  assert.equal(client.session.subscriptions.get('a'), undefined);
});
