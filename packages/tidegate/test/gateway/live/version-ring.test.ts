import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_VERSION, patchLengthMax, VersionRing } from '../../../src/gateway/live/version-ring.ts';

const UNBOUNDED = Number.POSITIVE_INFINITY;

function ringOf(ids: string, versionsMax = 10, lengthMax = UNBOUNDED): VersionRing {
  const ring = new VersionRing(versionsMax);
  for (const id of ids) ring.append(id, ring.current === NO_VERSION ? null : `[{"to":"${id}"}]`, lengthMax);
  return ring;
}

describe('The versions of a value', () => {
  it('are counted, and the newest of an id is the one that it names', () => {
    const ring = ringOf('abab');
    assert.equal(ring.current, 3);
    assert.deepEqual([ring.find('a'), ring.find('b'), ring.find('c')], [2, 3, NO_VERSION]);
    assert.deepEqual(
      [ring.idOf(0), ring.idOf(3), ring.idOf(4), ring.idOf(NO_VERSION)],
      ['a', 'b', null, null],
    );
  });

  it('lead to the current one by all operations after them, in order', () => {
    const ring = ringOf('abcd');
    assert.equal(ring.patchFrom(1, UNBOUNDED), '[{"to":"c"},{"to":"d"}]');
    assert.equal(ring.patchFrom(3, UNBOUNDED), '[]');
    assert.equal(ring.patchFrom(4, UNBOUNDED), null);
    assert.equal(ring.patchFrom(NO_VERSION, UNBOUNDED), null);
    assert.equal(ring.patchFrom(1, 22), null);
  });

  it('may follow each other without an operation', () => {
    const ring = ringOf('ab');
    ring.append('c', '[]', UNBOUNDED);
    assert.equal(ring.patchFrom(0, UNBOUNDED), '[{"to":"b"}]');
    assert.equal(ring.patchFrom(1, UNBOUNDED), '[]');
  });

  it('are let go of, the oldest first, when there are too many or their patches too long', () => {
    assert.deepEqual(
      [0, 1, 2, 3].map((version) => ringOf('abcd', 2).idOf(version)),
      [null, null, 'c', 'd'],
    );
    const oneOperation = '{"to":"x"}'.length;
    const ring = ringOf('abcd', 10, 2 * oneOperation);
    assert.deepEqual(
      [0, 1, 2, 3].map((version) => ring.idOf(version)),
      [null, 'b', 'c', 'd'],
    );
    assert.equal(ring.patchFrom(1, UNBOUNDED), '[{"to":"c"},{"to":"d"}]');
    assert.equal(ringOf('ab', 10, 0).idOf(1), 'b', 'the current one stays');
  });

  it('are let go of when nothing leads on from them', () => {
    const ring = ringOf('abc');
    ring.append('a', null, UNBOUNDED);
    assert.deepEqual([ring.current, ring.find('a'), ring.find('c')], [3, 3, NO_VERSION]);
    assert.equal(ring.patchFrom(2, UNBOUNDED), null);
    ring.append('d', '[1]', UNBOUNDED);
    assert.equal(ring.patchFrom(3, UNBOUNDED), '[1]');
  });

  it('may have patches as long as the value, and short ones in any case', () => {
    assert.deepEqual([patchLengthMax(2), patchLengthMax(5000)], [1024, 5000]);
  });
});
