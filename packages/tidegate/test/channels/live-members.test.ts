import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import type { Chunk } from '../../src/channels/chunk.ts';
import { LiveMembers } from '../../src/channels/live-members.ts';
import type { Member } from '../../src/channels/member.ts';

const CHUNK: Chunk = { bytes: Buffer.from('a'), messages: 1, end: [1], gap: null, conflated: 0 };

/** Ten members, who call `served` with their number. */
function tenMembers(served: (number: number, members: readonly Member[]) => void): LiveMembers {
  const live = new LiveMembers();
  const members = Array.from({ length: 10 }, (_, number) => {
    const member = {
      closed: false,
      liveIndex: -1,
      gapEnds: false,
      hand() {
        served(number, members);
        return true;
      },
    };
    return member as unknown as Member;
  });
  for (const member of members) live.add(member);
  return live;
}

test('those who leave while others are served are gone afterwards, and everybody else was served once', () => {
  const served: number[] = [];
  const leaving = [1, 5, 9];
  const live = tenMembers((number, members) => {
    served.push(number);
    if (number !== 5) return;
    for (const one of leaving) {
      (members[one] as { closed: boolean }).closed = true;
      live.leave(members[one]);
    }
  });
  assert.equal(live.deliver(CHUNK, 0, 10), 9);
  assert.deepEqual(served, [9, 8, 7, 6, 5, 4, 3, 2, 0]);
  assert.equal(live.count, 7);
  served.length = 0;
  assert.equal(live.deliver(CHUNK, 0, 7), 7);
  assert.deepEqual(served.sort(), [0, 2, 3, 4, 6, 7, 8]);
});

test('while a chunk is handed over, those who have it stand at its end, the one being served among them', () => {
  const standing: boolean[][] = [];
  const live = tenMembers((number, members) => {
    if (number === 6) standing.push(members.map((member) => live.placeInDelivery(member) !== null));
  });
  live.deliver(CHUNK, 0, 10);
  assert.deepEqual(standing, [[false, false, false, false, false, false, true, true, true, true]]);
});
