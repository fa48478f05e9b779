import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  GripSessions,
  type SessionIds,
  type SessionTrack,
} from '../../../src/gateway/grip-sessions/index.ts';
import { type Limits, noMetrics, resolveLimits, silentLogger } from '../../../src/kernel/index.ts';
import { parseInstructFields } from '../../../src/wire/grip/index.ts';
import { linePair } from '../../support/line-pair.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const ROUTE = { sessionScope: 'app' };

/** One process of a server; the first is the owner. */
class Process {
  readonly clock = new ManualClock();
  readonly sessions: GripSessions;

  constructor(limits: Partial<Limits> = {}) {
    const { clock } = this;
    this.sessions = new GripSessions({
      clock,
      limits: resolveLimits(limits),
      logger: silentLogger,
      metrics: noMetrics,
    });
  }

  follow(
    fields: Record<string, string>,
    route: { sessionScope: string | null } = ROUTE,
  ): SessionTrack | null {
    const instruct = parseInstructFields(Object.entries(fields), resolveLimits());
    return this.sessions.follow(route, 'A.example:8080', instruct);
  }

  rules(path = '/x', host = 'a.example'): number {
    return this.sessions.rulesFor('app', host, path).length;
  }
}

/** An owner and workers that have joined it. */
function serverOf(workers: number) {
  const owner = new Process();
  const others = Array.from({ length: workers }, () => new Process());
  const pairs = others.map((_, index) => linePair(index + 1));
  const deliver = async (): Promise<void> => {
    for (let round = 0; round < 4; round++) {
      for (const { clock } of others) await clock.tick();
      for (const pair of pairs) pair.deliver();
    }
  };
  for (const [index, pair] of pairs.entries()) {
    owner.sessions.serve(pair.owner);
    others[index].sessions.serve(pair.worker);
  }
  return { owner, others, pairs, deliver };
}

/** What is known; undefined until it has been told. */
function asked(process: Process, id: string, scope = 'app'): { ids?: SessionIds | null } {
  const told: { ids?: SessionIds | null } = {};
  process.sessions.idsOf(scope, id, (ids) => {
    told.ids = ids;
  });
  return told;
}

describe('Sessions of GRIP', () => {
  it('are made by an instruction, and know what it and the connection gave the client', () => {
    const process = new Process();
    assert.equal(asked(process, 's').ids, null);
    const track = process.follow({
      'Grip-Session-Id': 's',
      'Grip-Last': 'old; last-id=7',
      'Grip-Channel': 'news; prev-id=1',
    });
    assert.deepEqual(asked(process, 's').ids, new Map([['old', '7']]));
    track?.settle();
    assert.deepEqual(
      asked(process, 's').ids,
      new Map([
        ['old', '7'],
        ['news', '1'],
      ]),
    );
    track?.sent('news', '2');
    assert.equal(asked(process, 's').ids?.get('news'), '1');
    track?.settle();
    track?.sent('news', '3');
    track?.end();
    assert.equal(asked(process, 's').ids?.get('news'), '2');
  });

  it('are those of one origin', () => {
    const process = new Process();
    process.follow({ 'Grip-Session-Id': 's' });
    assert.equal(asked(process, 's', 'other').ids, null);
    assert.notEqual(asked(process, 's').ids, null);
  });

  it('are not there for routes without them, nor for ids that no field can carry', () => {
    const process = new Process();
    const detect = { 'Grip-Session-Detect': 'path-prefix=/; sid-ptr=/sid' };
    assert.equal(process.follow({ 'Grip-Session-Id': 's', ...detect }, { sessionScope: null }), null);
    assert.equal(process.rules(), 0);
    assert.equal(process.follow({ 'Grip-Session-Id': 'x'.repeat(257), ...detect }), null);
    assert.equal(process.rules(), 1);
  });

  it('are known in all processes of a server, wherever their clients were', async () => {
    const { others, owner, deliver } = serverOf(2);
    const [one, two] = others;
    const track = one.follow({
      'Grip-Session-Id': 's',
      'Grip-Session-Detect': 'path-prefix=/x; sid-ptr=/sid',
    });
    track?.sent('news', '1');
    track?.settle();
    await deliver();
    assert.deepEqual([one.rules(), two.rules(), owner.rules(), two.rules('/y')], [1, 1, 1, 0]);
    for (const process of [owner, one, two]) {
      const told = asked(process, 's');
      await deliver();
      assert.deepEqual(told.ids, new Map([['news', '1']]));
    }
    const back = two.follow({ 'Grip-Session-Id': 's' });
    back?.sent('news', '2');
    back?.settle();
    const soon = asked(two, 's');
    track?.end();
    await deliver();
    assert.deepEqual(
      soon.ids,
      new Map([['news', '2']]),
      'what a process has said itself comes before its question',
    );
    const later = asked(one, 's');
    await deliver();
    assert.deepEqual(later.ids, new Map([['news', '2']]));
  });

  it('are found also by a worker that takes the place of another', async () => {
    const { others, owner, deliver } = serverOf(1);
    others[0].follow({ 'Grip-Session-Detect': 'path-prefix=/; sid-ptr=/sid' });
    await deliver();
    const late = new Process();
    const pair = linePair(9);
    owner.sessions.serve(pair.owner);
    late.sessions.serve(pair.worker);
    pair.deliver();
    assert.equal(late.rules(), 1);
    owner.follow({ 'Grip-Session-Detect': 'path-prefix=/x; sid-ptr=/sid' });
    pair.deliver();
    assert.equal(late.rules(), 2);
  });

  it('are unknown if the owner is gone', () => {
    const { others, pairs } = serverOf(1);
    const told = asked(others[0], 's');
    assert.equal(told.ids, undefined);
    pairs[0].close();
    assert.equal(told.ids, null);
  });
});
