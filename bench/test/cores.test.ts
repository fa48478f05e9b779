import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { canPin, pinTree } from '../support/cores.ts';

/** The cores that the threads of a process may run on. */
function coresOf(pid: number): readonly (string | undefined)[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.map(
    (thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8').match(/^Cpus_allowed_list:\s+(\S+)$/m)?.[1],
  );
}

test('a process is kept to a core with its threads and children, and so is what it starts later', {
  skip: !canPin(),
}, async () => {
  const program = `
    const { spawn } = require('node:child_process');
    const start = () => console.log(spawn('sleep', ['60']).pid);
    start();
    process.stdin.on('data', start).on('end', () => process.kill(0));
  `;
  const parent = spawn(process.execPath, ['-e', program], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(parent, 'exit');
  const earlier = Number(String((await once(parent.stdout, 'data'))[0]));
  pinTree(parent.pid as number, 1);
  parent.stdin.write('another');
  const later = Number(String((await once(parent.stdout, 'data'))[0]));
  const threads = coresOf(parent.pid as number);
  const children = [earlier, later].flatMap(coresOf);
  parent.stdin.end();
  await ended;
  assert.ok(threads.length > 1);
  assert.deepEqual([...new Set([...threads, ...children])], ['1']);
});
