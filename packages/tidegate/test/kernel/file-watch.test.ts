import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FileWatch, type FileWatchOptions } from '../../src/kernel/index.ts';
import { ManualClock } from '../support/manual-clock.ts';

const LOOK_MS = 500;
const folder = await mkdtemp(join(tmpdir(), 'tidegate-test-'));
after(() => rm(folder, { recursive: true }));

let files = 0;

async function watched(tell: FileWatchOptions['tell'], path = join(folder, `file${files++}`)) {
  await writeFile(path, 'first');
  const clock = new ManualClock();
  const watch = await FileWatch.open({ paths: [path], clock, lookMs: LOOK_MS, tell });
  const told = { count: 0 };
  watch.start(async () => {
    told.count++;
  });
  return { path, clock, watch, told };
}

test('a file that was written to is told of once', async () => {
  const { path, watch, told } = await watched('at once');
  await watch.look();
  assert.equal(told.count, 0);
  await writeFile(path, 'the second');
  await watch.look();
  await watch.look();
  assert.equal(told.count, 1);
});

test('a file that another was put in the place of is told of, also if it has the same size and time', async () => {
  const { path, watch, told } = await watched('at once');
  const time = new Date(0);
  await utimes(path, time, time);
  await watch.look();
  assert.equal(told.count, 1);
  await writeFile(`${path}.new`, 'other');
  await utimes(`${path}.new`, time, time);
  await rename(`${path}.new`, path);
  await watch.look();
  assert.equal(told.count, 2);
});

test('a link that is led elsewhere is told of', async () => {
  const { path, watch, told } = await watched('at once');
  const link = `${path}.link`;
  await symlink(path, link);
  const linked = await FileWatch.open({
    paths: [link],
    clock: new ManualClock(),
    lookMs: 1,
    tell: 'at once',
  });
  linked.start(async () => {
    told.count++;
  });
  await writeFile(`${path}.other`, 'first');
  await unlink(link);
  await symlink(`${path}.other`, link);
  await linked.look();
  await watch.look();
  assert.equal(told.count, 1);
});

test('a file that is still being written is told of when two looks in a row have found the same', async () => {
  const { path, watch, told } = await watched('once settled');
  for (const text of ['a', 'ab', 'abc']) {
    await writeFile(path, text);
    await watch.look();
  }
  assert.equal(told.count, 0);
  await watch.look();
  await watch.look();
  assert.equal(told.count, 1);
});

test('what is about to be read for another reason is not told of', async () => {
  const { path, watch, told } = await watched('at once');
  await writeFile(path, 'the second');
  await watch.aboutToRead();
  await watch.look();
  assert.equal(told.count, 0);
});

test('a file that is gone and comes back is told of twice', async () => {
  const { path, watch, told } = await watched('at once');
  await unlink(path);
  await watch.look();
  await watch.look();
  assert.equal(told.count, 1);
  await writeFile(path, 'back');
  await watch.look();
  assert.equal(told.count, 2);
});

test('what changes while a change is being taken is told of afterwards, and nothing is once it is closed', async () => {
  const path = join(folder, `file${files++}`);
  await writeFile(path, 'first');
  const clock = new ManualClock();
  const watch = await FileWatch.open({ paths: [path], clock, lookMs: LOOK_MS, tell: 'at once' });
  let release = (): void => {};
  let count = 0;
  watch.start(() => {
    count++;
    return new Promise((resolve) => {
      release = resolve;
    });
  });
  assert.equal(clock.pendingTimers, 1);
  await writeFile(path, 'the second');
  const looking = watch.look();
  while (count === 0) await new Promise(setImmediate);
  await writeFile(path, 'the third one');
  await watch.look();
  assert.equal(count, 1);
  release();
  await looking;
  const again = watch.look();
  while (count === 1) await new Promise(setImmediate);
  release();
  await again;
  watch.close();
  assert.equal(clock.pendingTimers, 0);
  await writeFile(path, 'the fourth');
  await watch.look();
  assert.equal(count, 2);
});
