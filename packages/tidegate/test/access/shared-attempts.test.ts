import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Gate } from '../../src/access/index.ts';
import { type Line, resolveLimits } from '../../src/kernel/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { keyOf, outcomeOf, testGate } from './access-fixture.ts';
import { Processes } from './processes.ts';

const CLIENT = '192.0.2.1';

function threeProcesses(): { clock: ManualClock; processes: Processes; gates: readonly Gate[] } {
  const clock = new ManualClock();
  const limits = resolveLimits({ credentialFailuresMax: 3, credentialFailureWindowMs: 1000 });
  const gate = (line: Line | null): Gate => testGate({ clock, limits, keys: { a: keyOf('key') }, line });
  const processes = new Processes(gate(null), gate);
  return { clock, processes, gates: [processes.owner, processes.start().gate, processes.start().gate] };
}

async function outcomes(gates: readonly Gate[], credential: string, from: string): Promise<string[]> {
  return Promise.all(gates.map((gate) => outcomeOf(gate, credential, from)));
}

test('failed attempts of a client count in all processes, wherever they were made', async () => {
  const { clock, processes, gates } = threeProcesses();
  for (const gate of gates) {
    assert.equal(await outcomeOf(gate, 'guess', CLIENT), 'credential_invalid');
    processes.deliver();
  }
  const slowedDown = [
    'credential_attempts_exceeded',
    'credential_attempts_exceeded',
    'credential_attempts_exceeded',
  ];
  assert.deepEqual(await outcomes(gates, 'guess', CLIENT), slowedDown);
  assert.deepEqual(await outcomes(gates, 'key', CLIENT), ['accepted', 'accepted', 'accepted']);
  clock.advance(1000);
  assert.equal(await outcomeOf(gates[2], 'guess', CLIENT), 'credential_invalid');
});

test('a failed attempt counts once in each process', async () => {
  const { processes, gates } = threeProcesses();
  for (const gate of gates.slice(1)) {
    assert.equal(await outcomeOf(gate, 'guess', CLIENT), 'credential_invalid');
    processes.deliver();
  }
  // The third is one too few to be slowed down by.
  assert.deepEqual(
    await outcomes(gates, 'guess', CLIENT),
    gates.map(() => 'credential_invalid'),
  );
  processes.deliver();
});

test('a worker that comes later knows of earlier failures, and for how long they count', async () => {
  const { clock, processes, gates } = threeProcesses();
  for (let i = 0; i < 3; i++) await outcomeOf(gates[1], 'guess', CLIENT);
  processes.deliver();
  clock.advance(600);
  const { gate } = processes.start();
  processes.deliver();
  assert.equal(await outcomeOf(gate, 'guess', CLIENT), 'credential_attempts_exceeded');
  clock.advance(400);
  assert.equal(await outcomeOf(gate, 'guess', CLIENT), 'credential_invalid');
});

test('clients of one IPv6 network are one client in all processes', async () => {
  const { processes, gates } = threeProcesses();
  for (const host of ['1', '2', '3']) {
    assert.equal(await outcomeOf(gates[1], 'guess', `2001:db8::${host}`), 'credential_invalid');
  }
  processes.deliver();
  assert.equal(await outcomeOf(gates[2], 'guess', '2001:db8::4'), 'credential_attempts_exceeded');
  assert.equal(await outcomeOf(gates[2], 'guess', '2001:db8:0:1::4'), 'credential_invalid');
});

test('a worker that is gone is told nothing more', async () => {
  const { processes, gates } = threeProcesses();
  const { kill } = processes.start();
  kill();
  assert.equal(await outcomeOf(gates[1], 'guess', CLIENT), 'credential_invalid');
  processes.deliver();
  assert.equal(await outcomeOf(gates[2], 'guess', CLIENT), 'credential_invalid');
});
