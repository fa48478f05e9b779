import assert from 'node:assert/strict';
import type { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { FollowedChannels } from '../../../src/gateway/grip-attendance/followed-channels.ts';
import { LocalAttendance } from '../../../src/gateway/grip-attendance/local-attendance.ts';
import { TotalAttendance } from '../../../src/gateway/grip-attendance/total-attendance.ts';
import { Statistics } from '../../../src/gateway/grip-zmq/statistics.ts';
import type { StatisticsFormat } from '../../../src/gateway/grip-zmq/statistics-frame.ts';
import { ZmqMetrics } from '../../../src/gateway/grip-zmq/zmq-metrics.ts';
import { noMetrics, resolveLimits, seededRandom } from '../../../src/kernel/index.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { item, streamItem } from '../grip/items.ts';
import { arrival } from '../grip-attendance/roll.ts';

function stage(format: StatisticsFormat = 'json', takes = true) {
  const clock = new ManualClock();
  const attendance = new TotalAttendance();
  const frames: string[] = [];
  let dropped = 0;
  const metrics = new ZmqMetrics({
    ...noMetrics,
    counter: () => ({ add: () => void dropped++ }),
  });
  const statistics = new Statistics({
    socket: {
      port: 0,
      close() {},
      send(frame: Buffer) {
        if (takes) frames.push(frame.toString());
        return takes;
      },
    },
    format,
    from: 'here',
    attendance,
    clock,
    metrics,
  });
  const followed = new FollowedChannels(clock, resolveLimits());
  attendance.tell(statistics);
  attendance.tell({
    arrived() {},
    left() {},
    active() {},
    requested() {},
    counted: (mode, channel, count) => followed.counted(mode, channel, count),
  });
  followed.tell(statistics);
  const local = new LocalAttendance(seededRandom(1));
  local.tell(attendance.source());
  return {
    clock,
    statistics,
    local,
    dropped: () => dropped,
    /** The frames since the last call, those of some types only; `from`, which all have, is left out. */
    take(...types: string[]): [type: string, members: Record<string, unknown>][] {
      return frames
        .splice(0)
        .map((frame): [string, Record<string, unknown>] => {
          const [, type, json] = /^(\S+) J(.*)$/.exec(frame) ?? [];
          const { from, ...members } = JSON.parse(json);
          assert.equal(from, 'here');
          return [type, members];
        })
        .filter(([type]) => types.length === 0 || types.includes(type));
    },
    raw: () => frames.splice(0),
  };
}

test('connections are told of when they come and go, and in between before they are taken for gone', () => {
  const { local, take, clock } = stage();
  const one = local.arrive(arrival('stream', 'one'));
  local.arrive(arrival('ws', 'two', { route: 'other', scheme: 'https' }));
  const conn = { id: 'one', route: 'all', type: 'http', 'peer-address': '192.0.2.1', ttl: 120 };
  assert.deepEqual(take('conn'), [
    ['conn', conn],
    ['conn', { ...conn, id: 'two', route: 'other', type: 'ws', ssl: true }],
  ]);
  clock.advance(89_000);
  assert.deepEqual(take('conn'), []);
  clock.advance(3_000);
  assert.equal(take('conn').length, 2);
  one.leave();
  assert.deepEqual(take('conn'), [['conn', { id: 'one', route: 'all', unavailable: true }]]);
  clock.advance(95_000);
  assert.deepEqual(
    take('conn').map(([, { id }]) => id),
    ['two'],
  );
});

test('subscriptions are told of by mode and channel', () => {
  const { local, take, clock } = stage();
  const one = local.arrive(arrival('response', 'one'));
  one.join('a');
  local.arrive(arrival('ws', 'two')).join('a');
  assert.deepEqual(take('sub'), [
    ['sub', { mode: 'response', channel: 'a', ttl: 60, subscribers: 1 }],
    ['sub', { mode: 'ws', channel: 'a', ttl: 60, subscribers: 1 }],
  ]);
  one.leave();
  clock.advance(40_000);
  assert.deepEqual(take('sub'), [], 'a long-poll may come back');
  clock.advance(22_000);
  assert.deepEqual(take('sub'), [
    ['sub', { mode: 'ws', channel: 'a', ttl: 60, subscribers: 1 }],
    ['sub', { mode: 'response', channel: 'a', unavailable: true }],
  ]);
});

test('an item is told of once for each transport on which somebody waits for it', () => {
  const { local, take, statistics } = stage();
  for (const id of ['one', 'two']) local.arrive(arrival('stream', id)).join('a');
  local.arrive(arrival('stream', 'pattern')).join('a/#');
  local.arrive(arrival('response', 'poll')).join('a');
  local.arrive(arrival('ws', 'other')).join('b');
  take();
  statistics.published(
    item({
      channel: 'a',
      id: '7',
      'http-stream': { content: 'x' },
      'http-response': { body: 'x' },
      'ws-message': { content: 'x' },
    }),
  );
  assert.deepEqual(take('message'), [
    ['message', { channel: 'a', 'item-id': '7', count: 1, transport: 'http-response' }],
    ['message', { channel: 'a', 'item-id': '7', count: 3, transport: 'http-stream' }],
  ]);
  statistics.published(streamItem('nobody', 'x'));
  assert.deepEqual(take('message'), []);
  statistics.published(streamItem('a', 'x'));
  assert.deepEqual(take('message'), [['message', { channel: 'a', count: 3, transport: 'http-stream' }]]);
});

test('activity and requests are told of a tenth of a second later, added up', () => {
  const { local, take, clock } = stage();
  for (let i = 0; i < 3; i++) local.requested('all');
  local.requested('other');
  assert.deepEqual(take(), []);
  clock.advance(100);
  assert.deepEqual(take(), [
    ['activity', { route: 'all', count: 3 }],
    ['activity', { route: 'other', count: 1 }],
    ['counts', { 'requests-received': 4 }],
  ]);
  clock.advance(1_000);
  assert.deepEqual(take(), []);
});

test('a report every ten seconds has the figures of each route, and of what belongs to none', () => {
  const { local, take, clock, statistics } = stage();
  const one = local.arrive(arrival('stream', 'one'));
  one.join('a');
  const poll = local.arrive(arrival('response', 'poll', { route: 'polls' }));
  poll.join('a');
  statistics.published(
    item({ channel: 'a', 'http-stream': { content: 'x' }, 'http-response': { body: 'x' } }),
  );
  poll.leave();
  clock.advance(10_000);
  assert.deepEqual(take('report'), [
    [
      'report',
      {
        route: 'all',
        connections: 1,
        minutes: 1,
        received: 0,
        sent: 1,
        'http-response-sent': 0,
        duration: 10_000,
      },
    ],
    [
      'report',
      {
        route: 'polls',
        connections: 1,
        minutes: 1,
        received: 0,
        sent: 1,
        'http-response-sent': 1,
        duration: 10_000,
      },
    ],
    [
      'report',
      { connections: 0, minutes: 0, received: 1, sent: 0, 'http-response-sent': 0, duration: 10_000 },
    ],
  ]);
  clock.advance(10_000);
  const nothing = {
    connections: 0,
    minutes: 0,
    received: 0,
    sent: 0,
    'http-response-sent': 0,
    duration: 10_000,
  };
  assert.deepEqual(take('report'), [
    ['report', { ...nothing, route: 'all', connections: 1 }],
    ['report', { ...nothing, route: 'polls' }],
    ['report', nothing],
  ]);
  one.leave();
  clock.advance(10_000);
  assert.deepEqual(take('report'), [['report', { ...nothing, route: 'all', connections: 1 }]]);
  clock.advance(10_000);
  assert.deepEqual(take('report'), [['report', { ...nothing, route: 'all' }]]);
  clock.advance(60_000);
  assert.deepEqual(take('report'), [], 'where nothing happens nothing is told');
});

test('a connection counts for a minute when it comes, and for each that it lasts', () => {
  const { local, take, clock } = stage();
  const one = local.arrive(arrival('stream', 'one'));
  clock.advance(150_000);
  one.leave();
  clock.advance(10_000);
  const minutes = take('report').map(([, { minutes }]) => minutes as number);
  assert.equal(
    minutes.reduce((sum, each) => sum + each, 0),
    3,
  );
});

test('the largest number of connections is told when it changes, and again before it is taken for old', () => {
  const { local, take, clock } = stage();
  const one = local.arrive(arrival('stream', 'one'));
  const two = local.arrive(arrival('stream', 'two'));
  two.leave();
  clock.advance(100);
  assert.deepEqual(take('conn-max'), [['conn-max', { route: 'all', max: 2, ttl: 60 }]]);
  clock.advance(10_000);
  assert.deepEqual(take('conn-max'), [['conn-max', { route: 'all', max: 1, ttl: 60 }]]);
  clock.advance(40_000);
  assert.deepEqual(take('conn-max'), []);
  clock.advance(10_000);
  assert.deepEqual(take('conn-max'), [['conn-max', { route: 'all', max: 1, ttl: 60 }]]);
  one.leave();
  clock.advance(100);
  assert.deepEqual(take('conn-max'), [['conn-max', { route: 'all', max: 0, ttl: 60 }]]);
  clock.advance(120_000);
  assert.deepEqual(take('conn-max'), []);
});

test('statistics may be tnetstrings', () => {
  const { local, raw } = stage('tnetstring');
  local.arrive(arrival('stream', 'one')).leave();
  assert.equal(raw()[1], 'conn T61:4:from,4:here,5:route,3:all,2:id,3:one,11:unavailable,4:true!}');
});

test('what is not taken is counted', () => {
  const { local, dropped } = stage('json', false);
  local.arrive(arrival('stream', 'one')).leave();
  assert.equal(dropped(), 2);
});

test('once they are closed, nothing keeps time', () => {
  const { local, statistics, clock, take } = stage();
  local.requested('all');
  statistics.close();
  take();
  clock.advance(60_000);
  assert.deepEqual(take('activity', 'counts', 'report'), []);
});
