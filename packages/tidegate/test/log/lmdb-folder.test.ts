import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { TidegateError } from '../../src/kernel/index.ts';
import { openLog } from '../../src/log/index.ts';
import { appendTo, logOptions, readAll, record, scratchFolder, topicSpec } from './log-fixture.ts';

let folder = '';
let remove = (): void => {};

beforeEach(() => {
  ({ folder, remove } = scratchFolder());
});
afterEach(() => remove());

const refused =
  (code: string, ...words: (string | number)[]) =>
  (error: TidegateError): boolean => {
    assert.equal(error.code, code);
    for (const word of words) assert.ok(error.detail.includes(String(word)), error.detail);
    return true;
  };

const HOLDER = join(import.meta.dirname, 'writer.ts');

/** Another server that has the folder open and goes on publishing. */
async function holder(
  wrap: readonly string[] = [],
): Promise<{ readonly pid: number; readonly kill: () => Promise<void> }> {
  const command = [...wrap, process.execPath, HOLDER, folder, '1', '0', '0', '1000000'];
  const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.stdout.resume();
  return {
    pid: child.pid!,
    kill: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

test('a folder of another format version is refused, naming both versions', async () => {
  await (await openLog(logOptions(folder))).close();
  assert.equal(readFileSync(join(folder, 'FORMAT'), 'utf8'), 'tidegate-log 1\n');
  writeFileSync(join(folder, 'FORMAT'), 'tidegate-log 7\n');
  await assert.rejects(
    openLog(logOptions(folder)),
    refused('log_format_unsupported', 'format 7', 'format 1'),
  );
  writeFileSync(join(folder, 'FORMAT'), 'something else');
  await assert.rejects(
    openLog(logOptions(folder)),
    refused('log_format_unsupported', 'format unknown', 'format 1'),
  );
});

test('log files without a format are refused, and not taken for a new folder', async () => {
  writeFileSync(join(folder, 'synced.mdb'), 'not ours');
  await assert.rejects(openLog(logOptions(folder)), refused('log_format_unsupported'));
  assert.equal(readFileSync(join(folder, 'synced.mdb'), 'utf8'), 'not ours');
});

test('a file that is no LMDB file is refused', async () => {
  writeFileSync(join(folder, 'FORMAT'), 'tidegate-log 1\n');
  writeFileSync(join(folder, 'synced.mdb'), Buffer.alloc(8192, 7));
  await assert.rejects(openLog(logOptions(folder)), refused('log_folder_unusable', folder));
});

test('a folder where none can be made is refused, without trying for ever', async () => {
  await assert.rejects(
    openLog(logOptions('/proc/tidegate/data')),
    refused('log_folder_unusable', '/proc/tidegate'),
  );
});

test('a folder that cannot be made is refused', async () => {
  writeFileSync(join(folder, 'file'), '');
  await assert.rejects(
    openLog(logOptions(join(folder, 'file', 'data'))),
    refused('log_folder_unusable', folder),
  );
});

test('a folder that is open in this process is refused', async () => {
  const log = await openLog(logOptions(folder));
  await log.createTopic(topicSpec('t'));
  await assert.rejects(openLog(logOptions(folder)), refused('log_locked', process.pid));
  await appendTo(log, 't', [record('still works')]);
  await log.close();
  const again = await openLog(logOptions(folder));
  assert.equal(readAll(again, 't').records.length, 1);
  await again.close();
});

test('a folder that another process has open is refused, naming it; once that is dead it opens at once', async () => {
  const other = await holder();
  await assert.rejects(openLog(logOptions(folder)), refused('log_locked', other.pid));
  await assert.rejects(openLog(logOptions(folder)), refused('log_locked', other.pid));
  await other.kill();
  const log = await openLog(logOptions(folder));
  assert.ok(log.topics.has('a-synced'));
  await log.close();
});

test('a pid that is used again by another process does not keep the folder', async () => {
  const other = await holder();
  await other.kill();
  const { open } = await import('lmdb');
  const root = open({
    path: join(folder, 'synced.mdb'),
    noSubdir: true,
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
  });
  const meta = root.openDB({ name: 'meta', encoding: 'binary', keyEncoding: 'binary' });
  const key = Buffer.from('owner');
  const owner = JSON.parse(meta.getBinary(key)!.toString());
  // As if the parent of this process, which is alive, now had the dead one's pid.
  meta.putSync(key, Buffer.from(JSON.stringify({ ...owner, pid: process.ppid })));
  await root.close();
  await (await openLog(logOptions(folder))).close();
});

const unshare = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
const canUnshare = spawnSync(unshare[0], [...unshare.slice(1), 'true']).status === 0;

test('an owner in another pid namespace, which cannot be looked up, still keeps the folder until it dies', {
  skip: canUnshare ? false : 'needs the right to make a pid namespace',
}, async () => {
  const other = await holder(unshare);
  await assert.rejects(openLog(logOptions(folder)), refused('log_locked', 'Process 1'));
  await other.kill();
  let log = null;
  // The namespace's processes die with the one that made it, a moment later.
  for (let attempts = 0; log === null; attempts++) {
    try {
      log = await openLog(logOptions(folder));
    } catch (error) {
      if (attempts === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  await log.close();
});
