import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 10;
const PAUSES_MAX = 1000;

/** False also of who has ended and was not asked yet how. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

test('a benchmark that fails leaves nothing running, not even what its servers started', async () => {
  const program = `
    import { Child } from ${JSON.stringify(join(import.meta.dirname, '..', 'support', 'child.ts'))};
    const child = new Child('shell', 'sh', ['-c', 'sleep 600 & echo $!; wait']);
    console.log(child.pid, await child.line());
    throw new Error('it fails');
  `;
  const benchmark = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exit = once(benchmark, 'exit');
  const [output] = await once(benchmark.stdout, 'data');
  const pids = String(output).trim().split(' ').map(Number);
  assert.equal(pids.length, 2);
  const [code] = await exit;
  assert.notEqual(code, 0);
  for (let pause = 0; pids.some(isRunning) && pause < PAUSES_MAX; pause++) await delay(PAUSE_MS);
  assert.deepEqual(pids.filter(isRunning), []);
});
