import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalAttendance } from '../../../src/gateway/grip-attendance/local-attendance.ts';
import { ToldAttendance, takeNews } from '../../../src/gateway/grip-attendance/told-attendance.ts';
import { type RouteCounts, TotalAttendance } from '../../../src/gateway/grip-attendance/total-attendance.ts';
import { seededRandom } from '../../../src/kernel/index.ts';
import { linePair } from '../../support/line-pair.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { arrival, WrittenRoll } from './roll.ts';

/** The lists of the owner and of a worker, and what is told of both together. */
function stage() {
  const clock = new ManualClock();
  const total = new TotalAttendance();
  const lines: string[] = [];
  total.tell({
    arrived: ({ id }) => lines.push(`arrived ${id}`),
    left: ({ id }) => lines.push(`left ${id}`),
    counted: (mode, channel, count) => lines.push(`${mode} ${channel}: ${count}`),
    active: (route, times) => lines.push(`active ${route} ${times}`),
    requested: (route, times) => lines.push(`requested ${route} ${times}`),
  });
  const own = new LocalAttendance(seededRandom(1));
  own.tell(total.source());
  const line = linePair();
  const source = total.source();
  line.owner.onTold('grip', (message) => takeNews(message, source));
  line.owner.onClosed(() => source.gone());
  const worker = new LocalAttendance(seededRandom(2));
  worker.tell(new ToldAttendance(line.worker, clock));
  return {
    clock,
    total,
    own,
    worker,
    line,
    take: () => lines.splice(0),
    /** Lets the worker tell what it has gathered. */
    told() {
      clock.advance(20);
      line.deliver();
      return lines.splice(0);
    },
  };
}

const plain = (counts: readonly RouteCounts[]): unknown[] => counts.map((routes) => [...routes]);

test('the lists of all processes are added up', () => {
  const { own, worker, take, told, total } = stage();
  own.arrive(arrival('stream', 'one')).join('a');
  assert.deepEqual(take(), ['arrived one', 'stream a: 1']);
  worker.arrive(arrival('stream', 'two')).join('a');
  worker.arrive(arrival('stream', 'three', { route: 'other' })).join('a');
  assert.deepEqual(take(), [], 'what is in a worker is told a moment later');
  assert.deepEqual(told(), ['arrived two', 'arrived three', 'stream a: 2', 'stream a: 3']);
  assert.deepEqual(plain(total.subscribers('stream', 'a')), [
    [
      ['all', 2],
      ['other', 1],
    ],
  ]);
  assert.deepEqual(plain(total.subscribers('ws', 'a')), []);
});

test('who came and went before it was told is told of, and counts for nothing', () => {
  const { worker, told, total } = stage();
  const one = worker.arrive(arrival('response', 'one'));
  one.join('a');
  one.leave();
  assert.deepEqual(told(), ['arrived one', 'left one']);
  assert.deepEqual(plain(total.subscribers('response', 'a')), []);
});

test('with a worker that is gone, all that were in it are', () => {
  const { own, worker, told, take, line } = stage();
  own.arrive(arrival('stream', 'one')).join('a');
  const two = worker.arrive(arrival('stream', 'two'));
  two.join('a');
  two.join('b');
  told();
  line.close();
  assert.deepEqual(take(), ['stream a: 1', 'stream b: 0', 'left two']);
});

test('subscribers by a pattern are counted for the channels that match it', () => {
  const { own, total } = stage();
  own.arrive(arrival('ws', 'one')).join('orders/#');
  const two = own.arrive(arrival('ws', 'two'));
  two.join('orders/42');
  two.join('+/42');
  assert.deepEqual(plain(total.subscribers('ws', 'orders/42')), [[['all', 1]], [['all', 1]], [['all', 1]]]);
  assert.deepEqual(plain(total.subscribers('ws', 'orders')), [[['all', 1]]]);
  two.part('+/42');
  assert.deepEqual(plain(total.subscribers('ws', 'news/42')), []);
});

test('activity is added up before it is told', () => {
  const { worker, told } = stage();
  for (let i = 0; i < 3; i++) worker.requested('all');
  assert.deepEqual(told(), ['active all 3', 'requested all 3']);
  assert.deepEqual(told(), []);
});

test('a storm is told in messages of a bounded size', () => {
  const clock = new ManualClock();
  const line = linePair();
  const roll = new WrittenRoll();
  const sizes: number[] = [];
  line.owner.onTold('grip', (message) => {
    takeNews(message, roll);
    sizes.push(roll.take().length);
  });
  const told = new ToldAttendance(line.worker, clock);
  for (let i = 0; i < 2_500; i++) told.left(String(i));
  line.deliver();
  assert.deepEqual(sizes, [1_000, 1_000]);
  clock.advance(20);
  line.deliver();
  assert.deepEqual(sizes, [1_000, 1_000, 500]);
});
