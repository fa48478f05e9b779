import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { AT_ONCE, OrderedWork, type Step } from '../../../src/gateway/grip/ordered-work.ts';

/** Work that writes down what happens, with steps that the test ends. */
function stage() {
  const told: string[] = [];
  const ends = new Map<string, () => void>();
  const work = new OrderedWork(() => told.push('idle'));
  const waits =
    (name: string): Step =>
    (done) => {
      told.push(`${name} begins`);
      ends.set(name, () => {
        told.push(`${name} ends`);
        done();
      });
      return () => told.push(`${name} given up`);
    };
  return { told, work, waits, end: (name: string) => ends.get(name)?.() };
}

describe('What happens to one client in order', () => {
  it('happens at once as long as nobody has to be waited for, and nobody is told that it is done', () => {
    const { told, work } = stage();
    work.do(() => told.push('a'));
    work.add((done) => {
      told.push('b');
      done();
      return null;
    });
    assert.deepEqual([told, work.isIdle], [['a', 'b'], true]);
  });

  it('waits for what came before it', () => {
    const { told, work, waits, end } = stage();
    work.add(waits('a'));
    work.do(() => told.push('b'));
    work.add(waits('c'));
    work.do(() => told.push('d'));
    assert.deepEqual([told, work.isIdle], [['a begins'], false]);
    end('a');
    assert.deepEqual([told.splice(0), work.isIdle], [['a begins', 'a ends', 'b', 'c begins'], false]);
    end('c');
    assert.deepEqual([told, work.isIdle], [['c ends', 'd', 'idle'], true]);
  });

  it('may be added to by what happens', () => {
    const { told, work, waits, end } = stage();
    work.add(waits('a'));
    work.do(() => work.do(() => told.push('c')));
    work.do(() => told.push('b'));
    end('a');
    assert.deepEqual(told, ['a begins', 'a ends', 'b', 'c', 'idle']);
  });

  it('ends with the client: what is under way is given up, and the rest does not begin', () => {
    const { told, work, waits, end } = stage();
    work.add(waits('a'));
    work.do(() => told.push('b'));
    work.close();
    end('a');
    work.do(() => told.push('c'));
    work.add(waits('d'));
    assert.deepEqual(told, ['a begins', 'a given up', 'a ends']);
  });

  it('ends in the midst of what happens', () => {
    const { told, work, waits } = stage();
    work.add((done) => {
      work.close();
      done();
      return () => told.push('given up');
    });
    work.do(() => told.push('b'));
    assert.deepEqual(told, []);
    const other = stage();
    other.work.add(() => {
      other.work.close();
      return () => other.told.push('given up');
    });
    other.work.add(waits('c'));
    assert.deepEqual(other.told, ['given up']);
  });
});

test('what never waits happens at once', () => {
  const told: string[] = [];
  AT_ONCE.add((done) => {
    told.push('a');
    done();
    return null;
  });
  AT_ONCE.do(() => told.push('b'));
  AT_ONCE.close();
  assert.deepEqual([told, AT_ONCE.isIdle], [['a', 'b'], true]);
});
